#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <variant>

#include "client_lib/src/request_table.h"

namespace requestrouter::client {

// What one request is answered with, handed from the background thread to a thread that waits.
class Mailbox final : public Observer {
 public:
  using Item = std::variant<ipc::Value, Result<ipc::Value>>;  // an event, or the outcome

  // Waits for the next item. Not to be called again after the outcome.
  Item Next();

  bool OnEvent(const ipc::Value& body) noexcept override;
  void OnDone(Result<ipc::Value> outcome) noexcept override;

 private:
  void Push(Item item);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
};

}  // namespace requestrouter::client
