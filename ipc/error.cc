#include "ipc/error.h"

#include <array>
#include <utility>

namespace requestrouter::ipc {
namespace {

struct Row {
  ErrorType type;
  std::string_view name;
  bool retryable;
};

// PROTOCOL.md's table, in the order of the enumeration.
constexpr std::array kRows = {
    Row{ErrorType::kInvalidRequest, "invalid_request", false},
    Row{ErrorType::kUnsupportedVersion, "unsupported_version", false},
    Row{ErrorType::kUnknownOp, "unknown_op", false},
    Row{ErrorType::kPayloadTooLarge, "payload_too_large", false},
    Row{ErrorType::kPermissionDenied, "permission_denied", false},
    Row{ErrorType::kNotFound, "not_found", false},
    Row{ErrorType::kRequestIdConflict, "request_id_conflict", false},
    Row{ErrorType::kRateLimited, "rate_limited", true},
    Row{ErrorType::kAllKeysExhausted, "all_keys_exhausted", true},
    Row{ErrorType::kDeadlineExceeded, "deadline_exceeded", true},
    Row{ErrorType::kCancelled, "cancelled", false},
    Row{ErrorType::kContentBlocked, "content_blocked", false},
    Row{ErrorType::kUpstreamRejected, "upstream_rejected", false},
    Row{ErrorType::kUpstreamAuth, "upstream_auth", false},
    Row{ErrorType::kUpstreamUnavailable, "upstream_unavailable", true},
    Row{ErrorType::kStorageUnavailable, "storage_unavailable", true},
    Row{ErrorType::kOverloaded, "overloaded", true},
    Row{ErrorType::kShuttingDown, "shutting_down", true},
    Row{ErrorType::kInternalError, "internal_error", false},
};

const Row& RowOf(ErrorType type) { return kRows.at(static_cast<std::size_t>(type)); }

}  // namespace

std::string_view Name(ErrorType type) { return RowOf(type).name; }

std::optional<ErrorType> ErrorTypeFromName(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.type;
  }
  return std::nullopt;
}

bool IsRetryable(ErrorType type) { return RowOf(type).retryable; }

}  // namespace requestrouter::ipc
