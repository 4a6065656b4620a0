#include "client_lib/src/mailbox.h"

#include <utility>

namespace requestrouter::client {

Mailbox::Item Mailbox::Next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !items_.empty(); });
  Item item = std::move(items_.front());
  items_.pop_front();
  return item;
}

bool Mailbox::OnEvent(const ipc::Value& body) noexcept {
  Push(body);
  return true;
}

void Mailbox::OnDone(Result<ipc::Value> outcome) noexcept { Push(std::move(outcome)); }

void Mailbox::Push(Item item) {
  // Notified under the lock: the waiter may destroy this as soon as it has the outcome.
  const std::lock_guard lock(mutex_);
  items_.push_back(std::move(item));
  changed_.notify_one();
}

}  // namespace requestrouter::client
