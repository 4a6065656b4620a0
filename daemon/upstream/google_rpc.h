#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "daemon/upstream/attempt.h"

// The details of Google's error model: google/rpc/error_details.proto as JSON (cloud.google.com/
// apis/design/errors), of which Gemini sends ErrorInfo, QuotaFailure and RetryInfo.
namespace requestrouter::upstream {

// A protobuf Duration in its JSON form: seconds with up to nine digits of fraction and "s", such as
// "1.5s". Rounded up to the millisecond, so that nobody comes back too early; a negative one is 0.
// nullopt for anything else.
std::optional<std::chrono::milliseconds> ParseDuration(std::string_view text);

// Adds what `details` (an array) says to `error`, at most 16 of each kind.
void ReadErrorDetails(const ipc::Value& details, ProviderError* error);

}  // namespace requestrouter::upstream
