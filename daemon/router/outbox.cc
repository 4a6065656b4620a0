#include "daemon/router/outbox.h"

#include <utility>

namespace requestrouter::router {

Outbox::Delivery Outbox::Send(const ipc::Envelope& to, std::string payload) {
  auto backlog = waiting_.find(to);
  if (backlog == waiting_.end()) {
    switch (socket_.Send(to, payload)) {
      case ipc::SendStatus::kSent:
        return Delivery::kSent;
      case ipc::SendStatus::kGone:
        return Delivery::kGone;
      case ipc::SendStatus::kFull:
        backlog = waiting_.try_emplace(to).first;
    }
  }
  Backlog& queue = backlog->second;
  queue.bytes += payload.size();
  queue.payloads.push_back(std::move(payload));
  if (queue.bytes > kPeerLimit) {
    waiting_.erase(backlog);
    return Delivery::kGone;
  }
  return queue.bytes > kPauseBytes ? Delivery::kSlow : Delivery::kQueued;
}

void Outbox::SendPosted() {
  for (auto& [to, payload] : std::exchange(posted_, {})) Send(to, std::move(payload));
}

void Outbox::Flush(const std::function<void(const ipc::Envelope&)>& drained) {
  for (auto peer = waiting_.begin(); peer != waiting_.end();) {
    Backlog& queue = peer->second;
    ipc::SendStatus status = ipc::SendStatus::kSent;
    while (!queue.payloads.empty()) {
      status = socket_.Send(peer->first, queue.payloads.front());
      if (status != ipc::SendStatus::kSent) break;
      queue.bytes -= queue.payloads.front().size();
      queue.payloads.pop_front();
    }
    if (status == ipc::SendStatus::kFull) {
      ++peer;
      continue;
    }
    const ipc::Envelope to = peer->first;
    peer = waiting_.erase(peer);
    drained(to);
  }
}

bool Outbox::IsSlow(const ipc::Envelope& to) const {
  const auto backlog = waiting_.find(to);
  return backlog != waiting_.end() && backlog->second.bytes > kPauseBytes;
}

}  // namespace requestrouter::router
