#include "daemon/router/outbox.h"

#include <algorithm>

namespace requestrouter::router {

std::size_t Outbox::Waiting::bytes() const {
  std::size_t total = payload.size();
  for (const std::string& frame : to) total += frame.size();
  return total;
}

Outbox::Delivery Outbox::Send(const ipc::Envelope& to, std::string payload) {
  auto peer = waiting_.find(to.front());
  if (peer == waiting_.end()) {
    switch (socket_.Send(to, payload)) {
      case ipc::SendStatus::kSent:
        return Delivery::kSent;
      case ipc::SendStatus::kGone:
        return Delivery::kGone;
      case ipc::SendStatus::kFull:
        peer = waiting_.try_emplace(to.front()).first;
    }
  }
  return Keep(peer, {to, std::move(payload)});
}

void Outbox::SendPosted() {
  for (auto& [to, payload] : std::exchange(posted_, {})) Send(to, std::move(payload));
}

Outbox::Delivery Outbox::Keep(Peers::iterator peer, Waiting reply) {
  Backlog& backlog = peer->second;
  const std::size_t bytes = reply.bytes();
  backlog.bytes += bytes;
  bytes_ += bytes;
  backlog.replies.push_back(std::move(reply));
  if (backlog.bytes > kPeerLimit) {
    GiveUp(peer);
    return Delivery::kGone;
  }
  if (bytes_ > kTotalLimit) {
    const auto fullest = Fullest();
    const bool own = fullest == peer;
    GiveUp(fullest);
    if (own) return Delivery::kGone;
  }
  return backlog.bytes > kPauseBytes ? Delivery::kSlow : Delivery::kQueued;
}

Outbox::Peers::iterator Outbox::Fullest() {
  return std::max_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
    return a.second.bytes < b.second.bytes;
  });
}

void Outbox::GiveUp(Peers::iterator peer) {
  const std::size_t replies = peer->second.replies.size();
  const std::size_t bytes = peer->second.bytes;
  bytes_ -= bytes;
  dropped_ += replies;
  waiting_.erase(peer);
  given_up_told_(replies, bytes);
}

void Outbox::Flush(const std::function<void()>& drained) {
  bool any = false;
  for (auto peer = waiting_.begin(); peer != waiting_.end();) {
    Backlog& backlog = peer->second;
    ipc::SendStatus status = ipc::SendStatus::kSent;
    while (!backlog.replies.empty()) {
      const Waiting& next = backlog.replies.front();
      status = socket_.Send(next.to, next.payload);
      if (status != ipc::SendStatus::kSent) break;
      backlog.bytes -= next.bytes();
      bytes_ -= next.bytes();
      backlog.replies.pop_front();
    }
    if (status == ipc::SendStatus::kFull) {
      ++peer;
      continue;
    }
    bytes_ -= backlog.bytes;  // of a peer that left
    peer = waiting_.erase(peer);
    any = true;
  }
  if (any) drained();
}

bool Outbox::IsSlow(const ipc::Envelope& to) const {
  const auto peer = waiting_.find(to.front());
  return peer != waiting_.end() && peer->second.bytes > kPauseBytes;
}

}  // namespace requestrouter::router
