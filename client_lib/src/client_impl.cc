#include "client_lib/src/client_impl.h"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "client_lib/src/errors.h"
#include "client_lib/src/mailbox.h"
#include "client_lib/src/read.h"
#include "client_lib/src/request_id.h"
#include "ipc/codec.h"
#include "ipc/socket.h"

namespace requestrouter {
namespace client {

using ipc::Value;

Encoder ChatEncoder(const std::string& request_id, ipc::ChatRequest chat) {
  ipc::Request request;
  request.id = request_id;
  request.body = std::move(chat);
  return [request = std::move(request)](std::int64_t deadline_ms) mutable {
    request.deadline_ms = deadline_ms;
    return ipc::EncodeRequest(request);
  };
}

Encoder BodyEncoder(const std::string& request_id, const std::string& op, Value body) {
  Value payload = {{"v", ipc::kProtocolVersion}, {"id", request_id}, {"op", op}};
  payload["body"] = std::move(body);
  return [payload = std::move(payload)](std::int64_t deadline_ms) mutable {
    payload["deadline_ms"] = deadline_ms;
    std::string bytes;
    Value::to_msgpack(payload, bytes);
    return bytes;
  };
}

CallOptions WithId(CallOptions options) {
  if (options.request_id.empty()) options.request_id = NewRequestId();
  return options;
}

namespace {

constexpr std::chrono::hours kMaxDeadline{24};
constexpr std::size_t kMaxRequestId = 128;

std::optional<Error> Check(const CallOptions& options) {
  if (options.deadline < std::chrono::milliseconds(1) || options.deadline > kMaxDeadline) {
    return InvalidRequest("the deadline is not between 1 ms and 24 h");
  }
  if (options.request_id.size() > kMaxRequestId) {
    return InvalidRequest("the request id is longer than 128 bytes");
  }
  return std::nullopt;
}

PendingRequest NewPending(Encoder encode, const CallOptions& options,
                          std::shared_ptr<Observer> observer) {
  PendingRequest request;
  request.id = options.request_id;
  request.encode = std::move(encode);
  request.started = Clock::now();
  request.deadline = request.started + options.deadline;
  request.resend = options.resend;
  request.observer = std::move(observer);
  return request;
}

// Gives the events to `on_event` until the outcome is there or the sink wants no more.
std::variant<Result<Value>, Error> Drain(Mailbox& mailbox, const EventSink& on_event) {
  while (true) {
    Mailbox::Item item = mailbox.Next();
    if (auto* outcome = std::get_if<Result<Value>>(&item)) return std::move(*outcome);
    if (!on_event) continue;
    if (auto stop = on_event(std::get<Value>(item))) return std::move(*stop);
  }
}

// The error of a request that its sink stopped and that was abandoned then, with what had come.
Error Stopped(Error stop, Mailbox& mailbox) {
  const auto outcome = std::get<Result<Value>>(Drain(mailbox, {}));
  stop.partial_content = outcome ? ReadText(*outcome, "content") : outcome.error().partial_content;
  return stop;
}

}  // namespace
}  // namespace client

Client::Impl::Impl(ClientOptions options) : options_(std::move(options)) {}

Client::Impl::~Impl() {
  const std::unique_ptr<Slot> slot(slot_.exchange(nullptr));
  if (!slot) return;
  if (slot->pid == getpid()) {
    slot->session->Stop();
  } else {
    // A copy made by fork: see the class comment.
    new std::shared_ptr<client::Session>(slot->session);
  }
}

std::unique_ptr<Client::Impl::Slot> Client::Impl::NewSlot() const {
  ClientOptions options = options_;
  options.endpoint = ipc::ResolveEndpoint(options.endpoint);
  return std::make_unique<Slot>(Slot{getpid(), client::Session::Start(options)});
}

std::shared_ptr<client::Session> Client::Impl::session() {
  // Without a lock: one that another thread held at the time of a fork would stay held in the
  // child.
  Slot* current = slot_.load(std::memory_order_acquire);
  while (!current || current->pid != getpid()) {
    std::unique_ptr<Slot> fresh = NewSlot();
    if (slot_.compare_exchange_strong(current, fresh.get(), std::memory_order_acq_rel)) {
      return fresh.release()->session;
    }
    fresh->session->Stop();
  }
  return current->session;
}

void Client::Impl::Submit(client::Encoder encode, const CallOptions& options,
                          std::shared_ptr<client::Observer> observer) {
  if (auto error = client::Check(options)) return observer->OnDone(std::move(*error));
  session()->Submit(client::NewPending(std::move(encode), options, std::move(observer)));
}

Result<ipc::Value> Client::Impl::Ask(client::Encoder encode, const CallOptions& options,
                                     const client::EventSink& on_event,
                                     const std::string& cancels) {
  if (auto error = client::Check(options)) return std::move(*error);
  // Held here: the client may be destroyed while this waits.
  const std::shared_ptr<client::Session> session = this->session();
  if (session->OnBackgroundThread()) {
    return client::InvalidRequest("a blocking call inside a callback would wait for itself");
  }
  const auto mailbox = std::make_shared<client::Mailbox>();
  client::PendingRequest request = client::NewPending(std::move(encode), options, mailbox);
  request.cancels = cancels;
  session->Submit(std::move(request));
  auto end = client::Drain(*mailbox, on_event);
  if (auto* outcome = std::get_if<Result<ipc::Value>>(&end)) return std::move(*outcome);
  session->Abandon(options.request_id);
  return client::Stopped(std::get<Error>(std::move(end)), *mailbox);
}

Result<ipc::Value> Client::Impl::Cancel(const std::string& request_id, const CallOptions& options) {
  const CallOptions with_id = client::WithId(options);
  ipc::Value body = {{"id", request_id}};
  return Ask(client::BodyEncoder(with_id.request_id, "cancel", std::move(body)), with_id, {},
             request_id);
}

Result<ipc::Value> Client::Impl::AskBody(const std::string& op, ipc::Value body,
                                         const CallOptions& options,
                                         const client::EventSink& on_event) {
  const CallOptions with_id = client::WithId(options);
  return Ask(client::BodyEncoder(with_id.request_id, op, std::move(body)), with_id, on_event);
}

}  // namespace requestrouter
