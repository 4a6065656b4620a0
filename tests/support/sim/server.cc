#include "tests/support/sim/server.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/sim/dialect.h"
#include "tests/support/sim/faults.h"

namespace requestrouter::sim {
namespace {

using Json = nlohmann::ordered_json;

timeval Millis(int ms) { return {ms / 1000, (ms % 1000) * 1000}; }

std::string BodyOf(evhttp_request* request) {
  evbuffer* buffer = evhttp_request_get_input_buffer(request);
  std::string body(evbuffer_get_length(buffer), '\0');
  evbuffer_copyout(buffer, body.data(), body.size());
  return body;
}

// The key, from wherever the dialect puts it.
std::string SecretOf(evhttp_request* request) {
  const evkeyvalq* headers = evhttp_request_get_input_headers(request);
  for (const char* name : {"x-goog-api-key", "x-api-key"}) {
    if (const char* value = evhttp_find_header(headers, name)) return value;
  }
  const char* bearer = evhttp_find_header(headers, "Authorization");
  const std::string text = bearer ? bearer : "";
  return text.rfind("Bearer ", 0) == 0 ? text.substr(7) : "";
}

void Reply(evhttp_request* request, const Response& response,
           const char* content_type = "application/json") {
  evkeyvalq* headers = evhttp_request_get_output_headers(request);
  evhttp_add_header(headers, "Content-Type", content_type);
  for (const auto& [name, value] : response.headers) {
    evhttp_add_header(headers, name.c_str(), value.c_str());
  }
  evbuffer_add(evhttp_request_get_output_buffer(request), response.body.data(),
               response.body.size());
  evhttp_send_reply(request, response.status, nullptr, nullptr);
}

// Ends a connection with a reset, in the middle of whatever it was doing.
void Reset(evhttp_request* request) {
  evhttp_connection* connection = evhttp_request_get_connection(request);
  const evutil_socket_t fd = bufferevent_getfd(evhttp_connection_get_bufferevent(connection));
  const linger now{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  evhttp_connection_free(connection);
}

}  // namespace

class Server::Impl {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {
    for (const Key& key : options_.keys) keys_.emplace(key.secret, key);
    base_ = event_base_new();
    http_ = evhttp_new(base_);
    evhttp_set_max_body_size(http_, 64 << 20);
    evhttp_set_allowed_methods(http_, EVHTTP_REQ_GET | EVHTTP_REQ_POST);
    evhttp_set_gencb(http_, &Impl::OnRequest, this);
    evhttp_bound_socket* bound =
        evhttp_bind_socket_with_handle(http_, "127.0.0.1", options_.port);
    if (!bound) throw std::runtime_error("cannot listen on 127.0.0.1");
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(evhttp_bound_socket_get_fd(bound), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
  }
  ~Impl() {
    evhttp_free(http_);
    event_base_free(base_);
  }

  std::uint16_t port() const { return port_; }
  void Run() { event_base_loop(base_, EVLOOP_NO_EXIT_ON_EMPTY); }
  void Stop() { event_base_loopbreak(base_); }

 private:
  // An answer that is on its way, in one piece or many.
  struct Pending {
    Impl* self;
    evhttp_request* request;  // nullptr: the client left
    Response response;
    std::vector<std::string> events;  // not empty: streamed
    std::size_t next = 0;
    std::size_t cut_after = SIZE_MAX;  // reset the connection after so many events
    event* timer = nullptr;
    bool started = false;
  };

  static void OnRequest(evhttp_request* request, void* self) noexcept {
    static_cast<Impl*>(self)->Handle(request);
  }

  void Handle(evhttp_request* request) {
    const std::string path = evhttp_request_get_uri(request);
    if (path == "/_sim/control") return Control(request);
    if (path == "/_sim/stats") return Reply(request, {200, Stats().dump(), {}});
    const Dialect* dialect = DialectOfPath(path);
    if (!dialect) return Reply(request, {404, "{\"error\":\"no such path\"}", {}});
    Answer(request, *dialect, path);
  }

  void Answer(evhttp_request* request, const Dialect& dialect, const std::string& path) {
    const std::string secret = SecretOf(request);
    Key* key = FindKey(secret);
    if (!key || key->revoked) {
      if (key) ++key->rejected;
      return Later(request, dialect.InvalidKey());
    }
    ++key->requests;
    if (key->out_of_credit) return Later(request, dialect.NoCredit());
    const auto asked = dialect.Read(path, BodyOf(request));
    if (!asked) {
      ++key->rejected;
      return Later(request, asked.error());
    }
    const Instant now = std::chrono::steady_clock::now();
    const std::int64_t input = CountTokens(*asked);
    if (const std::string limit = TakeQuota(*key, input, now); !limit.empty()) {
      ++key->rate_limited;
      return Later(request, dialect.RateLimited(limit, asked->model, RetryAfter(*key, limit, now)));
    }
    if (const auto fault = faults_.TakeFor(secret)) return Misbehave(request, dialect, *fault);
    const std::string text = options_.answer_bytes > 0
                                 ? std::string(static_cast<std::size_t>(options_.answer_bytes), 'x')
                                 : AnswerTo(*asked);
    const Usage usage{input, CountTokens(text)};
    ++key->answered;
    key->input_tokens += usage.input;
    key->output_tokens += usage.output;
    if (!asked->turns.empty()) ++prompts_[asked->turns.back().text];
    if (asked->stream) {
      Later(request, {200, "", {}}, dialect.Stream(*asked, text, usage));
    } else {
      Later(request, dialect.Answer(*asked, text, usage));
    }
  }

  Key* FindKey(const std::string& secret) {
    const auto found = keys_.find(secret);
    if (found != keys_.end()) return &found->second;
    if (!options_.accept_any_key || secret.empty()) return nullptr;
    Key key;
    key.secret = secret;
    return &keys_.emplace(secret, std::move(key)).first->second;
  }

  static std::chrono::milliseconds RetryAfter(const Key& key, const std::string& limit,
                                              Instant now) {
    const auto& window = limit == "rpd" ? key.rpd : limit == "tpm" ? key.tpm : key.rpm;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(window->FreesAt() - now);
    return std::max(left, std::chrono::milliseconds(1));
  }

  void Misbehave(evhttp_request* request, const Dialect& dialect, const Fault& fault) {
    if (fault.kind == "status") return Later(request, dialect.ServerError(fault.status));
    if (fault.kind == "no_credit") return Later(request, dialect.NoCredit());
    if (fault.kind == "bad_json") return Later(request, {200, "{\"candidates\": [tru", {}});
    if (fault.kind == "html") {
      return Reply(request, {502, "<html><h1>502 Bad Gateway</h1></html>", {}}, "text/html");
    }
    if (fault.kind == "reset") return Reset(request);
    if (fault.kind == "reset_mid_body") {
      Later(request, {200, "", {}}, {"data: {\"par", "tial"});
      pending_.back()->cut_after = 1;
      return;
    }
    // hang: never answered; the client's time-out ends it.
  }

  // ---- answers

  void Later(evhttp_request* request, Response response, std::vector<std::string> events = {}) {
    auto* pending = new Pending{this, request, std::move(response), std::move(events)};
    pending_.emplace_back(pending);
    evhttp_connection_set_closecb(evhttp_request_get_connection(request), &Impl::OnClosed, pending);
    pending->timer = evtimer_new(base_, &Impl::OnTimer, pending);
    if (options_.latency_ms == 0) {
      Continue(*pending);
    } else {
      const timeval wait = Millis(options_.latency_ms);
      evtimer_add(pending->timer, &wait);
    }
  }

  static void OnClosed(evhttp_connection*, void* pending) noexcept {
    static_cast<Pending*>(pending)->request = nullptr;
  }

  static void OnTimer(evutil_socket_t, short, void* data) noexcept {
    auto* pending = static_cast<Pending*>(data);
    pending->self->Continue(*pending);
  }

  void Continue(Pending& pending) {
    if (!pending.request) return Finish(pending);
    if (pending.events.empty()) {
      Detach(pending);
      Reply(pending.request, pending.response);
      return Finish(pending);
    }
    if (!pending.started) {
      pending.started = true;
      evhttp_add_header(evhttp_request_get_output_headers(pending.request), "Content-Type",
                        "text/event-stream");
      evhttp_send_reply_start(pending.request, 200, nullptr);
    }
    do {
      SendEvent(pending);
    } while (pending.request && pending.next < pending.events.size() &&
             pending.next < pending.cut_after && options_.stream_delta_ms == 0);
    if (pending.next >= pending.cut_after) {
      Detach(pending);
      Reset(pending.request);
      return Finish(pending);
    }
    if (pending.next == pending.events.size()) {
      Detach(pending);
      evhttp_send_reply_end(pending.request);
      return Finish(pending);
    }
    const timeval wait = Millis(options_.stream_delta_ms);
    evtimer_add(pending.timer, &wait);
  }

  static void SendEvent(Pending& pending) {
    evbuffer* chunk = evbuffer_new();
    const std::string& text = pending.events[pending.next++];
    evbuffer_add(chunk, text.data(), text.size());
    evhttp_send_reply_chunk(pending.request, chunk);
    evbuffer_free(chunk);
  }

  static void Detach(Pending& pending) {
    evhttp_connection_set_closecb(evhttp_request_get_connection(pending.request), nullptr, nullptr);
  }

  void Finish(Pending& pending) {
    event_free(pending.timer);
    std::erase_if(pending_, [&](const auto& one) { return one.get() == &pending; });
  }

  // ---- control

  void Control(evhttp_request* request) {
    const Json json = Json::parse(BodyOf(request), nullptr, false);
    if (!json.is_object()) return Reply(request, {400, "{\"error\":\"not a JSON object\"}", {}});
    options_.latency_ms = json.value("latency_ms", options_.latency_ms);
    options_.stream_delta_ms = json.value("stream_delta_ms", options_.stream_delta_ms);
    options_.answer_bytes = json.value("answer_bytes", options_.answer_bytes);
    for (const Json& fault : json.value("faults", Json::array())) {
      faults_.Add({fault.value("kind", ""), fault.value("status", 500), fault.value("count", 1),
                   fault.value("key", "")});
    }
    for (const auto& [name, revoked] : {std::pair("revoke", true), std::pair("restore", false)}) {
      if (!json.contains(name)) continue;
      if (Key* key = FindKey(json[name].get<std::string>())) key->revoked = revoked;
    }
    Reply(request, {200, "{}", {}});
  }

  Json Stats() const {
    Json keys = Json::array();
    for (const auto& [secret, key] : keys_) {
      keys.push_back({{"key", secret},
                      {"requests", key.requests},
                      {"answered", key.answered},
                      {"rate_limited", key.rate_limited},
                      {"rejected", key.rejected},
                      {"input_tokens", key.input_tokens},
                      {"output_tokens", key.output_tokens}});
    }
    Json prompts = Json::object();
    for (const auto& [prompt, count] : prompts_) prompts.push_back({prompt, count});
    return {{"keys", std::move(keys)}, {"prompts", std::move(prompts)}};
  }

  Options options_;
  std::map<std::string, Key> keys_;
  std::map<std::string, std::int64_t> prompts_;
  Faults faults_;
  event_base* base_ = nullptr;
  evhttp* http_ = nullptr;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Pending>> pending_;
};

Server::Server(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Server::~Server() = default;
std::uint16_t Server::port() const { return impl_->port(); }
void Server::Run() { impl_->Run(); }
void Server::Stop() { impl_->Stop(); }

}  // namespace requestrouter::sim
