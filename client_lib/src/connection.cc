#include "client_lib/src/connection.h"

#include <unistd.h>

#include <chrono>
#include <utility>

#include "client_lib/src/errors.h"
#include "client_lib/src/mailbox.h"
#include "client_lib/src/read.h"
#include "client_lib/src/request_id.h"
#include "ipc/codec.h"
#include "ipc/socket.h"

namespace requestrouter::client {

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

Connection::Connection(ClientOptions options) : options_(std::move(options)) {}

Connection::~Connection() {
  const std::unique_ptr<Slot> slot(slot_.exchange(nullptr));
  if (!slot) return;
  if (slot->pid == getpid()) {
    slot->session->Stop();
  } else {
    // A copy made by fork: see the class comment.
    new std::shared_ptr<Session>(slot->session);  // NOLINT(bugprone-unhandled-exception-at-new)
  }
}

std::unique_ptr<Connection::Slot> Connection::NewSlot() const {
  ClientOptions options = options_;
  options.endpoint = ipc::ResolveEndpoint(options.endpoint);
  return std::make_unique<Slot>(Slot{getpid(), Session::Start(options)});
}

std::shared_ptr<Session> Connection::session() {
  // Without a lock: one that another thread held at the time of a fork would stay held in the
  // child. A slot that is replaced is not freed, because another thread may be reading it.
  Slot* current = slot_.load(std::memory_order_acquire);
  while (!current || current->pid != getpid() || current->session->broken()) {
    std::unique_ptr<Slot> fresh = NewSlot();
    if (slot_.compare_exchange_strong(current, fresh.get(), std::memory_order_acq_rel)) {
      return fresh.release()->session;
    }
    fresh->session->Stop();
  }
  return current->session;
}

std::shared_ptr<Session> Connection::Submit(Encoder encode, const CallOptions& options,
                                            std::shared_ptr<Observer> observer,
                                            const std::string& cancels) {
  if (auto error = Check(options)) {
    observer->OnDone(std::move(*error));
    return nullptr;
  }
  std::shared_ptr<Session> current = session();
  PendingRequest request = NewPending(std::move(encode), options, std::move(observer));
  request.cancels = cancels;
  current->Submit(std::move(request));
  return current;
}

Result<Value> Connection::Ask(Encoder encode, const CallOptions& options, const EventSink& on_event,
                              const std::string& cancels) {
  if (session()->OnBackgroundThread()) {
    return InvalidRequest("a blocking call inside a callback would wait for itself");
  }
  const auto mailbox = std::make_shared<Mailbox>();
  // Nothing of this object is used from here on: it may be destroyed while this waits.
  const auto current = Submit(std::move(encode), options, mailbox, cancels);
  auto end = Drain(*mailbox, on_event);
  if (auto* outcome = std::get_if<Result<Value>>(&end)) return std::move(*outcome);
  current->Abandon(options.request_id);
  return Stopped(std::get<Error>(std::move(end)), *mailbox);
}

Result<Value> Connection::Cancel(const std::string& request_id, const CallOptions& options) {
  const CallOptions with_id = WithId(options);
  Value body = {{"id", request_id}};
  return Ask(BodyEncoder(with_id.request_id, "cancel", std::move(body)), with_id, {}, request_id);
}

Result<Value> Connection::AskBody(const std::string& op, Value body, const CallOptions& options,
                                  const EventSink& on_event) {
  const CallOptions with_id = WithId(options);
  return Ask(BodyEncoder(with_id.request_id, op, std::move(body)), with_id, on_event);
}

}  // namespace requestrouter::client
