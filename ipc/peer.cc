#include "ipc/peer.h"

#include <charconv>
#include <system_error>

namespace requestrouter::ipc {
namespace {

// Takes the number behind the last colon off the end of `text`.
template <typename T>
std::optional<T> TakeNumber(std::string_view& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  text = text.substr(0, colon);
  T value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (!whole || value < T{0}) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Peer> ParsePeerAddress(std::string_view address) {
  const auto pid = TakeNumber<pid_t>(address);
  const auto gid = TakeNumber<gid_t>(address);
  const auto uid = TakeNumber<uid_t>(address);
  if (!pid || !gid || !uid) return std::nullopt;
  return Peer{*uid, *gid, *pid};
}

}  // namespace requestrouter::ipc
