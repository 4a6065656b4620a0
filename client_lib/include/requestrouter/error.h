#ifndef REQUESTROUTER_ERROR_H_
#define REQUESTROUTER_ERROR_H_

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "requestrouter/export.h"

// What a failed call tells its caller, and the type that holds either a value or that.
namespace requestrouter {

// The error types of the wire protocol, and at the end two that only a client can see. Each names
// what the caller should do; ipc/PROTOCOL.md has the table.
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
  kNoDaemon,      // nothing answers at the endpoint: start routerd; retryable
  kClientClosed,  // the Client was destroyed while the call ran
};

// The name on the wire, such as "rate_limited"; "no_daemon" and "client_closed" for the last two.
REQUESTROUTER_EXPORT std::string_view Name(ErrorType type);

struct Error {
  ErrorType type = ErrorType::kInternalError;
  std::string message;  // one or two sentences for a person; never holds a secret
  bool retryable = false;
  // When the same request would be served, where the daemon knows.
  std::optional<std::chrono::milliseconds> retry_after;
  std::string details_json;     // a JSON object; empty where there is nothing to add
  std::string partial_content;  // what a stream had delivered before it failed
  std::string request_id;       // for `routerctl explain`
};

// A value or an Error. Reading the side that is not there throws std::bad_variant_access.
template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns either as it is.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace requestrouter

#endif  // REQUESTROUTER_ERROR_H_
