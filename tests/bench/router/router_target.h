#pragma once

#include <string>
#include <string_view>

#include "tests/bench/router/target.h"

namespace requestrouter::bench {

// A DEALER socket that sends chats. The payload is encoded once and only the id in it changes; of a
// reply only the id and `ok` are read: a client must cost less than what it measures.
class RouterTarget : public Target {
 public:
  // `stored`: every request is a conversation of its own. Throws std::runtime_error.
  RouterTarget(const std::string& endpoint, const std::string& prompt, const std::string& model,
               bool stored);
  ~RouterTarget() override;
  RouterTarget(const RouterTarget&) = delete;
  RouterTarget& operator=(const RouterTarget&) = delete;

  void Send(std::uint64_t number) override;
  void Wait(std::chrono::nanoseconds patience, const Arrived& arrived) override;

 private:
  void Take(std::string_view payload, const Arrived& arrived) const;

  const std::string prefix_;  // of this process's ids, so that no two runs share one
  std::string payload_;
  std::size_t id_at_ = 0;
  std::size_t conv_id_at_ = 0;  // 0: none
  void* context_ = nullptr;
  void* socket_ = nullptr;
  int fd_ = -1;
};

}  // namespace requestrouter::bench
