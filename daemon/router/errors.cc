#include "daemon/router/errors.h"

#include "daemon/faults/faults.h"
#include "daemon/router/clock.h"
#include "daemon/secrets/redactor.h"

namespace requestrouter::router {
namespace {

using ipc::ErrorType;

ErrorType TypeOf(const policy::Refusal& refusal) {
  switch (refusal.reason) {
    case policy::RefusalReason::kNoSuchModel:
      return ErrorType::kNotFound;
    case policy::RefusalReason::kNoKeys:
      return ErrorType::kUpstreamAuth;
    case policy::RefusalReason::kTooLarge:
      return ErrorType::kPayloadTooLarge;
    case policy::RefusalReason::kNoCapacity:
      return ErrorType::kAllKeysExhausted;
    case policy::RefusalReason::kCallerLimit:
      return ErrorType::kRateLimited;
    case policy::RefusalReason::kQueueFull:
      return ErrorType::kOverloaded;
    case policy::RefusalReason::kExpired:
      return refusal.past_deadline ? ErrorType::kDeadlineExceeded : ErrorType::kAllKeysExhausted;
    case policy::RefusalReason::kFault:
      return refusal.fault ? faults::TypeOf(refusal.fault->kind) : ErrorType::kInternalError;
  }
  return ErrorType::kInternalError;
}

}  // namespace

ipc::Error ToError(const policy::Refusal& refusal, bool streamed) {
  ipc::Error error;
  error.type = streamed ? ErrorType::kUpstreamUnavailable : TypeOf(refusal);
  error.message = secrets::ProcessRedactor().Redact(faults::MessageOf(error.type, refusal.message));
  if (refusal.retry_after) error.retry_after_ms = WaitMs(*refusal.retry_after);
  if (refusal.reason == policy::RefusalReason::kTooLarge) {
    error.details = ipc::Value{{"limit", refusal.limit}};
  }
  if (streamed) error.details = ipc::Value{{"interrupted", true}};
  return error;
}

ipc::Error ToError(const storage::Error& error) {
  if (error.code == storage::ErrorCode::kNotFound) {
    return ipc::MakeError(ErrorType::kNotFound, error.message);
  }
  const bool invalid = error.code == storage::ErrorCode::kInvalid;
  return ipc::MakeError(invalid ? ErrorType::kInvalidRequest : ErrorType::kStorageUnavailable,
                        error.message);
}

ipc::Error NoSuchKey(const std::string& key_id) {
  return ipc::MakeError(ErrorType::kNotFound,
                        "no key \"" + key_id + "\"; `routerctl keys` lists them");
}

}  // namespace requestrouter::router
