#include "daemon/router/replies.h"

#include <algorithm>
#include <utility>

#include "ipc/codec.h"

namespace requestrouter::router {

void Replies::Send(const ipc::Envelope& to, std::string payload) {
  outbox_.Send(to, std::move(payload));
}

void Replies::Delta(LiveRequest& request, const ipc::ChatDelta& delta) {
  std::erase_if(request.subscribers, [&](Subscriber& subscriber) {
    return outbox_.Send(subscriber.to, ipc::EncodeDelta(request.id, subscriber.next_seq++,
                                                        delta)) == Outbox::Delivery::kGone;
  });
}

void Replies::Progress(LiveRequest& request, const ipc::ChatProgress& progress) {
  if (!request.chat.progress) return;
  std::erase_if(request.subscribers, [&](Subscriber& subscriber) {
    return outbox_.Send(subscriber.to, ipc::EncodeProgress(request.id, subscriber.next_seq++,
                                                           progress)) == Outbox::Delivery::kGone;
  });
}

void Replies::Final(LiveRequest& request, std::string payload) {
  for (const Subscriber& subscriber : request.subscribers) outbox_.Post(subscriber.to, payload);
  request.subscribers.clear();
  request.final_payload = std::move(payload);
}

void Replies::Join(LiveRequest& request, const ipc::Envelope& to, pid_t pid) {
  Subscriber subscriber{to, pid, 0};
  for (const ipc::ChatDelta& delta : request.deltas) {
    outbox_.Send(to, ipc::EncodeDelta(request.id, subscriber.next_seq++, delta));
  }
  request.subscribers.push_back(std::move(subscriber));
}

bool Replies::IsSlow(const LiveRequest& request) const {
  return std::any_of(request.subscribers.begin(), request.subscribers.end(),
                     [&](const Subscriber& s) { return outbox_.IsSlow(s.to); });
}

std::string AsReplayed(const std::string& payload) {
  ipc::Result<ipc::Reply> reply = ipc::DecodeReply(payload, ipc::Limits{SIZE_MAX, 64});
  if (!reply) return payload;  // written by this program; nothing better can be said of it
  if (auto* body = std::get_if<ipc::Value>(&reply->outcome)) {
    (*body)["replayed"] = true;
  } else {
    ipc::Error& error = std::get<ipc::Error>(reply->outcome);
    if (error.details.is_null()) error.details = ipc::Value::object();
    error.details["replayed"] = true;
  }
  return ipc::EncodeReply(*reply);
}

}  // namespace requestrouter::router
