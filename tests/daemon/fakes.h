#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "daemon/router/clock.h"
#include "ipc/socket.h"

// Hand-written stand-ins for what the router leans on.
namespace requestrouter::router {

// A clock that moves when told to.
class FakeClock final : public Clock {
 public:
  policy::Instant Steady() const override { return steady_; }
  storage::Millis Wall() const override { return wall_; }
  void Advance(std::chrono::milliseconds by) {
    steady_ += by;
    wall_ += by.count();
  }
  // The steady clock counts from here, as after a boot.
  void StartMachine() { steady_ = {}; }
  void JumpWall(std::chrono::milliseconds by) { wall_ += by.count(); }

 private:
  policy::Instant steady_{std::chrono::hours(1000)};
  storage::Millis wall_ = 1'700'000'000'000;
};

// Peers that read, do not read, or have left.
class FakeSocket final : public ipc::ServerSocket {
 public:
  int fd() const override { return -1; }
  bool settled() const override { return true; }
  std::optional<ipc::Incoming> Receive() override { return std::nullopt; }
  std::uint64_t dropped() const override { return 0; }
  ipc::SendStatus Send(const ipc::Envelope& to, std::string_view payload) override {
    const auto status = status_.find(to);
    if (status != status_.end() && status->second != ipc::SendStatus::kSent) return status->second;
    sent[to].emplace_back(payload);
    return ipc::SendStatus::kSent;
  }
  void Let(const ipc::Envelope& peer, ipc::SendStatus status) { status_[peer] = status; }

  std::map<ipc::Envelope, std::vector<std::string>> sent;

 private:
  std::map<ipc::Envelope, ipc::SendStatus> status_;
};

}  // namespace requestrouter::router
