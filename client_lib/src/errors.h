#pragma once

#include <string>

#include "ipc/error.h"
#include "ipc/value.h"
#include "requestrouter/error.h"

// Making the public Error.
namespace requestrouter::client {

// An error that the client itself raises.
Error MakeError(ErrorType type, std::string message);

inline Error InvalidRequest(std::string message) {
  return MakeError(ErrorType::kInvalidRequest, std::move(message));
}

// An error that the daemon answered with.
Error FromWire(const ipc::Error& error);

// The wire's `error` map of an error, with what the client adds (`partial_content`, `request_id`).
ipc::Value ErrorBody(const Error& error);

}  // namespace requestrouter::client
