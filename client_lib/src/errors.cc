#include "client_lib/src/errors.h"

#include <utility>

#include "client_lib/src/json.h"

namespace requestrouter {
namespace {

// The public enumeration begins with the wire's, in its order, so that a cast converts.
static_assert(static_cast<int>(ErrorType::kInvalidRequest) ==
              static_cast<int>(ipc::ErrorType::kInvalidRequest));
static_assert(static_cast<int>(ErrorType::kDeadlineExceeded) ==
              static_cast<int>(ipc::ErrorType::kDeadlineExceeded));
static_assert(static_cast<int>(ErrorType::kInternalError) ==
              static_cast<int>(ipc::ErrorType::kInternalError));

bool IsRetryable(ErrorType type) {
  if (type == ErrorType::kNoDaemon) return true;
  if (type == ErrorType::kClientClosed) return false;
  return ipc::IsRetryable(static_cast<ipc::ErrorType>(type));
}

}  // namespace

std::string_view Name(ErrorType type) {
  if (type == ErrorType::kNoDaemon) return "no_daemon";
  if (type == ErrorType::kClientClosed) return "client_closed";
  return ipc::Name(static_cast<ipc::ErrorType>(type));
}

namespace client {

Error MakeError(ErrorType type, std::string message) {
  Error error;
  error.type = type;
  error.message = std::move(message);
  error.retryable = IsRetryable(type);
  return error;
}

Error FromWire(const ipc::Error& wire) {
  Error error = MakeError(static_cast<ErrorType>(wire.type), wire.message);
  if (wire.retryable) error.retryable = *wire.retryable;
  if (wire.retry_after_ms) error.retry_after = std::chrono::milliseconds(*wire.retry_after_ms);
  error.details_json = DumpJson(wire.details);
  return error;
}

ipc::Value ErrorBody(const Error& error) {
  ipc::Value body = {
      {"type", Name(error.type)}, {"message", error.message}, {"retryable", error.retryable}};
  if (error.retry_after) body["retry_after_ms"] = error.retry_after->count();
  if (!error.details_json.empty()) {
    body["details"] = ipc::Value::parse(error.details_json, nullptr, /*allow_exceptions=*/false);
  }
  if (!error.partial_content.empty()) body["partial_content"] = error.partial_content;
  if (!error.request_id.empty()) body["request_id"] = error.request_id;
  return body;
}

}  // namespace client
}  // namespace requestrouter
