#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "ipc/value.h"

namespace requestrouter::ipc {

// The closed list of error types of PROTOCOL.md. Each names what the caller should do.
enum class ErrorType : std::uint8_t {
  kInvalidRequest,
  kUnsupportedVersion,
  kUnknownOp,
  kPayloadTooLarge,
  kPermissionDenied,
  kNotFound,
  kRequestIdConflict,
  kRateLimited,
  kAllKeysExhausted,
  kDeadlineExceeded,
  kCancelled,
  kContentBlocked,
  kUpstreamRejected,
  kUpstreamAuth,
  kUpstreamUnavailable,
  kStorageUnavailable,
  kOverloaded,
  kShuttingDown,
  kInternalError,
};

// The name on the wire, such as "invalid_request".
std::string_view Name(ErrorType type);

// The inverse of Name(); nullopt for a name that is not in the list.
std::optional<ErrorType> ErrorTypeFromName(std::string_view name);

// Whether the same request may succeed later, as PROTOCOL.md fixes it per type.
bool IsRetryable(ErrorType type);

// A failed request, as the caller sees it. Never holds a secret.
struct Error {
  ErrorType type = ErrorType::kInternalError;
  std::string message;
  // Milliseconds after which the same request would be served, where known.
  std::optional<std::int64_t> retry_after_ms;
  // A map, or null where there is nothing to add.
  Value details;
  // Overrides IsRetryable(type); set only where the caller asked for `on_unknown: fail`.
  std::optional<bool> retryable;
};

template <typename T>
using Result = tl::expected<T, Error>;

// An error without a time to come back.
inline Error MakeError(ErrorType type, std::string message, Value details = nullptr) {
  return Error{type, std::move(message), std::nullopt, std::move(details), std::nullopt};
}

// Shorthand for `return Fail(ErrorType::kNotFound, "no such key: ...")`.
inline tl::unexpected<Error> Fail(ErrorType type, std::string message) {
  return tl::unexpected<Error>(MakeError(type, std::move(message)));
}

}  // namespace requestrouter::ipc
