#include "daemon/router/caller_names.h"

#include <systemd/sd-login.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

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

// pid 0 is a process of another pid namespace; to the functions above it would be this one.
std::string ProgramOf(pid_t pid) { return pid <= 0 ? "" : ServiceOf(pid).value_or(CommandOf(pid)); }

std::string Describe(const ipc::Peer& peer, const User* user, const std::string& program) {
  return "uid " + std::to_string(peer.uid) + InParentheses(user ? user->name : "") + " pid " +
         std::to_string(peer.pid) + InParentheses(program);
}

}  // namespace

const std::string& CallerNames::Of(const ipc::Peer& peer) {
  std::shared_ptr<const User> user = users_.Find(peer);
  auto found = known_.find(peer.pid);
  const bool is_new = found == known_.end() || found->second.uid != peer.uid;
  if (!is_new && found->second.user == user) return found->second.text;
  if (is_new) {
    if (known_.size() >= kMost) known_.clear();
    found = known_.insert_or_assign(peer.pid, Known{peer.uid, ProgramOf(peer.pid), {}, {}}).first;
  }
  Known& known = found->second;
  known.text = Describe(peer, user.get(), known.program);
  known.user = std::move(user);
  return known.text;
}

std::string CallerNames::OfOne(const ipc::Peer& peer) const {
  return Describe(peer, users_.Find(peer).get(), ProgramOf(peer.pid));
}

}  // namespace requestrouter::router
