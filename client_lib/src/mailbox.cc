#include "client_lib/src/mailbox.h"

#include <utility>

namespace requestrouter::client {

Mailbox::Item Mailbox::Next() {
  threads::Lock lock(mutex_);
  lock.Wait(changed_, [this]() RR_REQUIRES(mutex_) { return !items_.empty(); });
  return Pop();
}

std::optional<Mailbox::Item> Mailbox::NextWithin(std::chrono::milliseconds timeout) {
  threads::Lock lock(mutex_);
  if (!lock.WaitFor(changed_, timeout, [this]() RR_REQUIRES(mutex_) { return !items_.empty(); }))
    return std::nullopt;
  return Pop();
}

int Mailbox::fd() {
  const threads::Lock lock(mutex_);
  if (!ready_) {
    ready_.emplace();
    if (!items_.empty()) ready_->Signal();
  }
  return ready_->get();
}

bool Mailbox::OnEvent(const ipc::Value& body) noexcept {
  Push(body);
  return true;
}

void Mailbox::OnDone(Result<ipc::Value> outcome) noexcept { Push(std::move(outcome)); }

void Mailbox::Push(Item item) {
  // Notified under the lock: the waiter may destroy this as soon as it has the outcome.
  const threads::Lock lock(mutex_);
  items_.push_back(std::move(item));
  if (ready_) ready_->Signal();
  changed_.notify_one();
}

Mailbox::Item Mailbox::Pop() {
  Item item = std::move(items_.front());
  items_.pop_front();
  if (ready_ && items_.empty()) ready_->Drain();
  return item;
}

}  // namespace requestrouter::client
