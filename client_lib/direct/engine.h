#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "client_lib/direct/endpoint.h"
#include "client_lib/direct/memory.h"
#include "daemon/upstream/client.h"
#include "threads/mutex.h"

namespace requestrouter::direct {

// The body of a message before the final one; false cancels. Must not throw.
using OnBody = std::function<bool(const ipc::Value& body)>;

// Runs chats over the daemon's own provider client. Any thread; calls wait on their own.
class Engine : private upstream::Listener {
 public:
  explicit Engine(DirectOptions options) : options_(std::move(options)) {}
  // Ends the calls in flight with kClientClosed and waits until their threads have left.
  ~Engine() override;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // The reply's body. `on_body` runs on this thread.
  Result<ipc::Value> Chat(const ipc::ChatRequest& request, std::chrono::milliseconds deadline,
                          const OnBody& on_body);
  Result<ipc::Value> Call(const std::string& op, const ipc::Value& body,
                          std::chrono::milliseconds deadline, const OnBody& on_body);

 private:
  struct Pending {
    std::condition_variable changed;
    std::deque<ipc::ChatDelta> deltas;
    std::optional<upstream::Outcome> outcome;
  };

  // One thread's stay in a chat.
  class Stay {
   public:
    explicit Stay(Engine& engine);
    ~Stay();
    Stay(const Stay&) = delete;
    Stay& operator=(const Stay&) = delete;

   private:
    Engine& engine_;
  };

  Result<upstream::Outcome> Try(upstream::Attempt attempt, const OnBody& on_body);
  ipc::Value Health() const;
  void OnDelta(std::int64_t id, ipc::ChatDelta delta) override;
  void OnOutcome(std::int64_t id, upstream::Outcome outcome) override;
  // Waits; nullopt: the outcome is there, and all deltas were taken.
  std::optional<ipc::ChatDelta> NextDelta(Pending& pending);

  const DirectOptions options_;
  Memory memory_;
  std::atomic<std::int64_t> next_id_{1};
  threads::Mutex mutex_;
  std::condition_variable left_;
  std::map<std::int64_t, Pending> pending_ RR_GUARDED_BY(mutex_);
  int staying_ RR_GUARDED_BY(mutex_) = 0;
  bool closed_ RR_GUARDED_BY(mutex_) = false;
  upstream::Client upstream_{this};  // last: its end reports to the members above
};

}  // namespace requestrouter::direct
