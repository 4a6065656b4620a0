#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <optional>
#include <variant>

#include "client_lib/src/event_fd.h"
#include "client_lib/src/request_table.h"
#include "threads/mutex.h"

namespace requestrouter::client {

// What one request is answered with, handed from the background thread to a thread that waits.
class Mailbox final : public Observer {
 public:
  using Item = std::variant<ipc::Value, Result<ipc::Value>>;  // an event, or the outcome

  // Waits for the next item. Not to be called again after the outcome.
  Item Next();

  // As Next; nullopt when nothing came in `timeout`.
  std::optional<Item> NextWithin(std::chrono::milliseconds timeout);

  // A descriptor that is readable while there is an item; -1 where there is none left to give.
  // Owned by this.
  int fd();

  bool OnEvent(const ipc::Value& body) noexcept override;
  void OnDone(Result<ipc::Value> outcome) noexcept override;

 private:
  void Push(Item item);
  Item Pop() RR_REQUIRES(mutex_);

  threads::Mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_ RR_GUARDED_BY(mutex_);
  std::optional<EventFd> ready_ RR_GUARDED_BY(mutex_);
};

}  // namespace requestrouter::client
