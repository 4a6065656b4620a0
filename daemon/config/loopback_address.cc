#include "daemon/config/loopback_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <system_error>

#include "daemon/config/json_tree.h"

namespace requestrouter::config {
namespace {

bool IsPort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsLoopback(std::string_view host) {
  if (host == "[::1]") return true;
  in_addr address{};
  constexpr std::uint32_t kLoopbackNetwork = 127;
  return inet_pton(AF_INET, std::string(host).c_str(), &address) == 1 &&
         ntohl(address.s_addr) >> 24 == kLoopbackNetwork;
}

}  // namespace

tl::expected<std::string, std::string> LoopbackAddress(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon == std::string_view::npos ? 0 : colon);
  if (host == "localhost") host = "127.0.0.1";
  if (colon == std::string_view::npos || !IsPort(text.substr(colon + 1)) || !IsLoopback(host)) {
    return tl::unexpected(
        "must be a loopback address and a port, such as \"127.0.0.1:9464\" or \"[::1]:9464\","
        " because metrics are served to whoever can connect; is " +
        Quote(text));
  }
  return std::string(host) + std::string(text.substr(colon));
}

}  // namespace requestrouter::config
