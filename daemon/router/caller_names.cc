#include "daemon/router/caller_names.h"

#include <systemd/sd-login.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/config/user_database.h"

namespace requestrouter::router {
namespace {

using Text = std::unique_ptr<char, decltype(&std::free)>;

bool IsService(const char* unit) {
  constexpr std::string_view kService = ".service";
  const std::string_view name(unit);
  return name.size() > kService.size() && name.substr(name.size() - kService.size()) == kService;
}

// Scopes are sessions and the like, which say less than the command does.
std::optional<std::string> ServiceOf(pid_t pid) {
  for (const auto ask : {&sd_pid_get_user_unit, &sd_pid_get_unit}) {
    char* unit = nullptr;
    if (ask(pid, &unit) < 0) continue;
    const Text owned(unit, &std::free);
    if (IsService(unit)) return std::string(unit);
    return std::nullopt;
  }
  return std::nullopt;
}

std::string CommandOf(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return name;
}

std::string InParentheses(const std::string& text) { return text.empty() ? "" : " (" + text + ")"; }

}  // namespace

std::string DescribeCaller(const ipc::Peer& peer) {
  // pid 0 is a process of another pid namespace; to the functions below it would be this one.
  const std::string program =
      peer.pid <= 0 ? "" : ServiceOf(peer.pid).value_or(CommandOf(peer.pid));
  return "uid " + std::to_string(peer.uid) +
         InParentheses(config::UserName(peer.uid).value_or("")) + " pid " +
         std::to_string(peer.pid) + InParentheses(program);
}

const std::string& CallerNames::Of(const ipc::Peer& peer) {
  const auto found = known_.find(peer.pid);
  if (found != known_.end() && found->second.first == peer.uid) return found->second.second;
  if (known_.size() >= kMost) known_.clear();
  return known_.insert_or_assign(peer.pid, std::make_pair(peer.uid, DescribeCaller(peer)))
      .first->second.second;
}

}  // namespace requestrouter::router
