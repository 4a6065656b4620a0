#include "ipc/names.h"

#include <array>

namespace requestrouter::ipc {
namespace {

// Each table lists the names in the order of its enumeration.
constexpr std::array<std::string_view, 4> kRoles = {"system", "user", "assistant", "tool"};
constexpr std::array<std::string_view, 3> kPriorities = {"interactive", "normal", "batch"};
constexpr std::array<std::string_view, 4> kWorkloads = {"light", "medium", "heavy", "auto"};
constexpr std::array<std::string_view, 4> kFinishReasons = {"stop", "length", "tool_calls",
                                                            "content_filter"};
constexpr std::array<std::string_view, 3> kEfforts = {"low", "medium", "high"};
constexpr std::array<std::string_view, 2> kOnUnknown = {"resend", "fail"};
constexpr std::array<std::string_view, 7> kUsageGroups = {"key",  "model", "caller", "agent",
                                                          "user", "hour",  "day"};
constexpr std::array<std::string_view, 3> kProgressStates = {"waiting", "sent", "retrying"};

// In the order of the alternatives of Body.
constexpr std::array<std::string_view, std::variant_size_v<Body>> kOperations = {
    "chat",
    "ping",
    "cancel",
    "models",
    "health",
    "conversation.get",
    "conversation.list",
    "conversation.truncate",
    "conversation.delete",
    "conversation.export",
    "keys.list",
    "keys.reset",
    "keys.disable",
    "keys.enable",
    "reload",
    "usage",
    "explain",
    "queue",
    "metrics",
    "backup",
    "restore",
    "check"};

template <typename Enum, std::size_t N>
std::string_view NameIn(const std::array<std::string_view, N>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

template <typename Enum, std::size_t N>
std::optional<Enum> Find(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view Name(Role role) { return NameIn(kRoles, role); }
std::string_view Name(Priority priority) { return NameIn(kPriorities, priority); }
std::string_view Name(Workload workload) { return NameIn(kWorkloads, workload); }
std::string_view Name(FinishReason reason) { return NameIn(kFinishReasons, reason); }
std::string_view Name(Effort effort) { return NameIn(kEfforts, effort); }
std::string_view Name(OnUnknown choice) { return NameIn(kOnUnknown, choice); }
std::string_view Name(UsageGroup group) { return NameIn(kUsageGroups, group); }
std::string_view Name(ChatProgress::State state) { return NameIn(kProgressStates, state); }

std::string_view OperationName(const Body& body) { return kOperations.at(body.index()); }

std::optional<std::size_t> OperationFromName(std::string_view name) {
  return Find<std::size_t>(kOperations, name);
}

std::string OperationNames() {
  std::string names;
  for (const std::string_view name : kOperations) {
    names += names.empty() ? "" : ", ";
    names += name;
  }
  return names;
}

std::optional<Role> RoleFromName(std::string_view name) { return Find<Role>(kRoles, name); }
std::optional<Priority> PriorityFromName(std::string_view name) {
  return Find<Priority>(kPriorities, name);
}
std::optional<Workload> WorkloadFromName(std::string_view name) {
  return Find<Workload>(kWorkloads, name);
}
std::optional<FinishReason> FinishReasonFromName(std::string_view name) {
  return Find<FinishReason>(kFinishReasons, name);
}
std::optional<Effort> EffortFromName(std::string_view name) { return Find<Effort>(kEfforts, name); }
std::optional<OnUnknown> OnUnknownFromName(std::string_view name) {
  return Find<OnUnknown>(kOnUnknown, name);
}
std::optional<UsageGroup> UsageGroupFromName(std::string_view name) {
  return Find<UsageGroup>(kUsageGroups, name);
}

}  // namespace requestrouter::ipc
