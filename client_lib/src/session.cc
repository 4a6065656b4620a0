#include "client_lib/src/session.h"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <system_error>
#include <utility>

#include "client_lib/src/errors.h"
#include "client_lib/src/foreign_reply.h"
#include "client_lib/src/no_daemon.h"
#include "client_lib/src/request_id.h"
#include "ipc/codec.h"

namespace requestrouter::client {
namespace {

using std::chrono::milliseconds;

// The daemon is trusted: these only keep a defect in it from taking the caller's memory with it.
constexpr ipc::Limits kReplyLimits{std::size_t{256} << 20, 64};
constexpr milliseconds kSendRetry{5};
constexpr std::int64_t kCancelDeadlineMs = 5'000;

RequestTable::Options TableOptions(const ClientOptions& options) {
  return {options.connect_timeout, options.reconnect_timeout,
          [endpoint = options.endpoint] { return ExplainNoDaemon(endpoint); }};
}

// Signals are the host program's business: threads started while this lives get none.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

Error Closed() {
  return MakeError(ErrorType::kClientClosed, "the client was closed while the call ran");
}

// The daemon cuts the connection of who sends far more than it takes, so that this must be found
// out before sending: the cut would look like a restart.
Error TooLarge(std::size_t size, std::size_t limit) {
  Error error =
      MakeError(ErrorType::kPayloadTooLarge, "the request has " + std::to_string(size) +
                                                 " bytes; the limit is " + std::to_string(limit));
  error.details_json = "{\"limit\":" + std::to_string(limit) + "}";
  return error;
}

}  // namespace

std::shared_ptr<Session> Session::Start(const ClientOptions& options) {
  std::shared_ptr<Session> session(new Session(options));
  auto link = Link::Open(options.endpoint);
  if (link) {
    session->link_ = std::move(*link);
    session->StartThread(session);
  } else {
    session->Finish(link.error());
  }
  return session;
}

void Session::StartThread(const std::shared_ptr<Session>& self) {
  const SignalsBlocked guard;
  try {
    // The thread holds the session, so that a callback may destroy the client it belongs to.
    thread_ = std::thread([self] { self->Run(); });
  } catch (const std::system_error& error) {
    Finish(MakeError(ErrorType::kInternalError,
                     std::string("cannot start a thread: ") + error.what()));
  }
}

Session::Session(const ClientOptions& options)
    : options_(options), link_error_(Closed()), table_(TableOptions(options)) {}

void Session::Submit(PendingRequest request) {
  {
    const threads::Lock lock(mutex_);
    if (!closed_) {
      inbox_.submitted.push_back(std::move(request));
      link_->Wake();
      return;
    }
  }
  request.observer->OnDone(link_error_);
}

void Session::Abandon(std::string id) {
  const threads::Lock lock(mutex_);
  if (closed_) return;
  inbox_.abandoned.push_back(std::move(id));
  link_->Wake();
}

void Session::Cancel(std::string id) {
  const threads::Lock lock(mutex_);
  if (closed_) return;
  inbox_.cancelled.push_back(std::move(id));
  link_->Wake();
}

bool Session::OnBackgroundThread() const { return std::this_thread::get_id() == thread_.get_id(); }

void Session::Stop() {
  {
    const threads::Lock lock(mutex_);
    if (!thread_.joinable()) return;
    inbox_.stop = true;
    if (!closed_) link_->Wake();
  }
  if (OnBackgroundThread()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void Session::Run() {
  try {
    ServeUntilStopped();
    Finish(Closed());
  } catch (const std::exception& error) {
    Finish(MakeError(ErrorType::kInternalError, error.what()));
  }
}

void Session::ServeUntilStopped() {
  while (ReadInbox()) {
    const TimePoint now = Clock::now();
    table_.Expire(now);
    SendAll(now);
    for (const std::string& id : table_.TakeAbandoned()) SendCancel(id);
    Sleep();
  }
}

bool Session::ReadInbox() {
  Inbox inbox;
  {
    const threads::Lock lock(mutex_);
    inbox = std::exchange(inbox_, {});
  }
  for (PendingRequest& request : inbox.submitted) table_.Add(std::move(request));
  for (const std::string& id : inbox.abandoned) {
    if (table_.Abandon(id)) SendCancel(id);
  }
  for (const std::string& id : inbox.cancelled) {
    if (table_.Cancel(id)) SendCancel(id);
  }
  return !inbox.stop;
}

void Session::Sleep() {
  std::optional<milliseconds> timeout;
  if (const auto next = table_.NextExpiry()) {
    timeout = std::chrono::ceil<milliseconds>(*next - Clock::now());
  }
  if (retry_send_) timeout = std::min(timeout.value_or(kSendRetry), kSendRetry);
  const LinkInput input = link_->Wait(timeout);
  const TimePoint now = Clock::now();
  for (const std::string& payload : input.payloads) {
    auto reply = ipc::DecodeReply(payload, kReplyLimits);
    if (reply) {
      table_.OnReply(std::move(*reply), now);
    } else if (auto foreign = ReadForeignReply(payload, kReplyLimits)) {
      table_.Fail(foreign->id, std::move(foreign->error));
    }
  }
  for (LinkEvent event : input.events) Apply(event, now);
}

void Session::Apply(LinkEvent event, TimePoint now) {
  switch (event) {
    case LinkEvent::kConnecting:
      return table_.OnConnecting();
    case LinkEvent::kConnected:
      return table_.OnConnected();
    case LinkEvent::kDisconnected:
      return table_.OnDisconnected(now);
  }
}

void Session::SendAll(TimePoint now) {
  retry_send_ = false;
  for (const std::string& id : table_.Sendable(now)) {
    const std::string payload = table_.Encode(id, now);
    if (payload.size() > options_.max_payload_bytes) {
      table_.Fail(id, TooLarge(payload.size(), options_.max_payload_bytes));
    } else if (link_->Send(payload)) {
      table_.MarkSent(id);
    } else {
      retry_send_ = true;
      return;
    }
  }
}

// Nobody waits for the answer: the request's own caller has been told.
void Session::SendCancel(const std::string& id) {
  ipc::Request request;
  request.id = NewRequestId();
  request.deadline_ms = kCancelDeadlineMs;
  request.body = ipc::CancelRequest{id};
  link_->Send(ipc::EncodeRequest(request));
}

void Session::Finish(const Error& error) {
  broken_ = error.type == ErrorType::kInternalError;
  Inbox inbox;
  std::unique_ptr<Link> link;
  {
    const threads::Lock lock(mutex_);
    closed_ = true;
    link_error_ = error;
    inbox = std::exchange(inbox_, {});
    link = std::move(link_);
  }
  for (PendingRequest& request : inbox.submitted) table_.Add(std::move(request));
  table_.FailAll(error);
}

}  // namespace requestrouter::client
