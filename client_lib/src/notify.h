#pragma once

#include <exception>
#include <optional>
#include <string>

#include "client_lib/src/errors.h"

namespace requestrouter::client {

// Calls a caller's function, whatever it does: kCancelled where it returned false, and where it
// threw, naming the exception.
template <typename Function, typename Argument>
std::optional<Error> Notify(const Function& function, const Argument& argument) noexcept {
  const auto threw = [](const char* what) {
    return MakeError(ErrorType::kCancelled,
                     std::string("cancelled, because the callback threw: ") + what);
  };
  try {
    if (function(argument)) return std::nullopt;
    return MakeError(ErrorType::kCancelled, "cancelled by the callback");
  } catch (const std::exception& error) {
    return threw(error.what());
  } catch (...) {
    return threw("something that is no std::exception");
  }
}

}  // namespace requestrouter::client
