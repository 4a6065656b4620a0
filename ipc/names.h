#pragma once

#include <optional>
#include <string_view>

#include "ipc/chat.h"
#include "ipc/operations.h"

// The enumerations of the protocol as they are written on the wire.
namespace requestrouter::ipc {

std::string_view Name(Role role);
std::string_view Name(Priority priority);
std::string_view Name(Workload workload);
std::string_view Name(FinishReason reason);
std::string_view Name(Effort effort);
std::string_view Name(OnUnknown choice);
std::string_view Name(UsageGroup group);
std::string_view Name(ChatProgress::State state);

// The `op` of a request.
std::string_view OperationName(const Body& body);

// The inverses; nullopt for a name that is not in the list.
std::optional<Role> RoleFromName(std::string_view name);
std::optional<Priority> PriorityFromName(std::string_view name);
std::optional<Workload> WorkloadFromName(std::string_view name);
std::optional<FinishReason> FinishReasonFromName(std::string_view name);
std::optional<Effort> EffortFromName(std::string_view name);
std::optional<OnUnknown> OnUnknownFromName(std::string_view name);
std::optional<UsageGroup> UsageGroupFromName(std::string_view name);

}  // namespace requestrouter::ipc
