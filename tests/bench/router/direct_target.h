#pragma once

#include <string>

#include "tests/bench/router/calls.h"
#include "tests/bench/router/target.h"

namespace requestrouter::bench {

// The same chats sent to the provider itself: what they cost without a router.
class DirectTarget : public Target {
 public:
  DirectTarget(const std::string& url, const std::string& prompt, const std::string& model);

  void Send(std::uint64_t number) override;
  void Wait(std::chrono::nanoseconds patience, const Arrived& arrived) override;

 private:
  const std::string body_;
  Calls calls_;
};

}  // namespace requestrouter::bench
