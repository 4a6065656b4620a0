#include "tests/support/sim/exchange.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/keyvalq_struct.h>
#include <sys/socket.h>

namespace requestrouter::sim {
namespace {

timeval ToTimeval(Millis time) {
  return {static_cast<time_t>(time.count() / 1000),
          static_cast<suseconds_t>((time.count() % 1000) * 1000)};
}

evutil_socket_t SocketOf(evhttp_connection* connection) {
  return bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
}

const char* Reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 429:
      return "Too Many Requests";
    default:
      return status < 500 ? "Client Error" : "Server Error";
  }
}

// Sends RST now. Closing with SO_LINGER would do the same, but evhttp sends a FIN before it closes.
void Reset(evutil_socket_t socket) {
  const sockaddr nobody{AF_UNSPEC, {}};
  connect(socket, &nobody, sizeof nobody);
}

// What evhttp has queued for the connection, written at once: a connection that is about to be
// closed must not lose it.
void Flush(evhttp_connection* connection) {
  evbuffer* output = bufferevent_get_output(evhttp_connection_get_bufferevent(connection));
  evbuffer_unfreeze(output, 1);
  while (evbuffer_get_length(output) > 0 && evbuffer_write(output, SocketOf(connection)) > 0) {
  }
}

}  // namespace

Exchange::Exchange(event_base* base, evhttp_request* request, Reply reply, Done done,
                   Exchange** open)
    : base_(base),
      request_(request),
      reply_(std::move(reply)),
      done_(std::move(done)),
      open_(open),
      after_(*open) {
  if (after_) after_->before_ = this;
  *open_ = this;
}

Exchange::~Exchange() {
  (before_ ? before_->after_ : *open_) = after_;
  if (after_) after_->before_ = before_;
}

void Exchange::Start(event_base* base, evhttp_request* request, Reply reply, Done done,
                     Exchange** open) {
  auto* exchange = new Exchange(base, request, std::move(reply), std::move(done), open);
  evhttp_connection_set_closecb(evhttp_request_get_connection(request),
                                &Exchange::OnConnectionClosed, exchange);
  if (exchange->reply_.latency.count() > 0) {
    exchange->Wait(exchange->reply_.latency);
  } else {
    exchange->Begin();
  }
}

void Exchange::FreeAll(Exchange** open) {
  while (Exchange* exchange = *open) {
    evhttp_connection* connection = evhttp_request_get_connection(exchange->request_);
    evhttp_connection_set_closecb(connection, nullptr, nullptr);
    delete exchange;
  }
}

void Exchange::AddHeaders() {
  evkeyvalq* headers = evhttp_request_get_output_headers(request_);
  for (const auto& [name, value] : reply_.response.headers) {
    evhttp_add_header(headers, name.c_str(), value.c_str());
  }
  if (!evhttp_find_header(headers, "Content-Type")) {
    evhttp_add_header(headers, "Content-Type", "application/json");
  }
}

void Exchange::Begin() {
  begun_ = true;
  if (!reply_.pieces.empty()) {
    AddHeaders();
    evhttp_send_reply_start(request_, reply_.response.status, Reason(reply_.response.status));
    return SendPieces();
  }
  if (reply_.ending == Ending::kComplete) return SendWhole();
  End();
}

void Exchange::SendWhole() {
  AddHeaders();
  evbuffer* body = evhttp_request_get_output_buffer(request_);
  evbuffer_add(body, reply_.response.body.data(), reply_.response.body.size());
  evhttp_connection_set_closecb(evhttp_request_get_connection(request_), nullptr, nullptr);
  evhttp_send_reply(request_, reply_.response.status, Reason(reply_.response.status), nullptr);
  Finish(false);
}

void Exchange::SendPieces() {
  while (next_ < reply_.pieces.size()) {
    SendNext();
    if (reply_.pace.count() > 0 && next_ < reply_.pieces.size()) return Wait(reply_.pace);
  }
  End();
}

void Exchange::SendNext() {
  std::unique_ptr<evbuffer, decltype(&evbuffer_free)> chunk(evbuffer_new(), &evbuffer_free);
  const std::string& piece = reply_.pieces[next_++];
  evbuffer_add(chunk.get(), piece.data(), piece.size());
  evhttp_send_reply_chunk(request_, chunk.get());
}

void Exchange::End() {
  switch (reply_.ending) {
    case Ending::kHang:
      return WatchClient();
    case Ending::kReset:
    case Ending::kClose:
      CloseConnection(reply_.ending == Ending::kReset);
      return Finish(false);
    case Ending::kComplete:
      break;
  }
  evhttp_connection_set_closecb(evhttp_request_get_connection(request_), nullptr, nullptr);
  evhttp_send_reply_end(request_);
  Finish(false);
}

void Exchange::CloseConnection(bool with_reset) {
  evhttp_connection* connection = evhttp_request_get_connection(request_);
  Flush(connection);
  if (with_reset) Reset(SocketOf(connection));
  FreeConnection();
}

// And the request with it. Nothing may be registered for the socket when evhttp closes it.
void Exchange::FreeConnection() {
  evhttp_connection* connection = evhttp_request_get_connection(request_);
  evhttp_connection_set_closecb(connection, nullptr, nullptr);
  bufferevent_disable(evhttp_connection_get_bufferevent(connection), EV_READ | EV_WRITE);
  hang_up_.reset();
  evhttp_connection_free(connection);
}

// evhttp does not read while a request is being answered, so it would notice a client that left
// only when writing fails.
void Exchange::WatchClient() {
  if (hang_up_) return;
  const evutil_socket_t socket = SocketOf(evhttp_request_get_connection(request_));
  hang_up_.reset(event_new(base_, socket, EV_CLOSED, &Exchange::OnHangUp, this));
  event_add(hang_up_.get(), nullptr);
}

void Exchange::Wait(Millis time) {
  WatchClient();
  if (!timer_) timer_.reset(evtimer_new(base_, &Exchange::OnTimer, this));
  const timeval until = ToTimeval(time);
  evtimer_add(timer_.get(), &until);
}

void Exchange::Finish(bool client_left) {
  const Done done = std::move(done_);
  const std::uint64_t number = reply_.number;
  delete this;
  done(number, client_left);
}

void Exchange::OnTimer(evutil_socket_t, short, void* self) noexcept {
  auto* exchange = static_cast<Exchange*>(self);
  exchange->begun_ ? exchange->SendPieces() : exchange->Begin();
}

void Exchange::OnHangUp(evutil_socket_t, short, void* self) noexcept {
  static_cast<Exchange*>(self)->ClientLeft();
}

void Exchange::ClientLeft() {
  FreeConnection();
  Finish(true);
}

// evhttp itself gave the connection up. It has then let go of the request, unless it frees both.
void Exchange::OnConnectionClosed(evhttp_connection*, void* self) noexcept {
  auto* exchange = static_cast<Exchange*>(self);
  exchange->hang_up_.reset();
  if (!evhttp_request_get_connection(exchange->request_)) evhttp_request_free(exchange->request_);
  exchange->Finish(true);
}

}  // namespace requestrouter::sim
