#include "requestrouter/direct.h"

#include <cstdlib>
#include <utility>

#include "client_lib/direct/engine.h"
#include "client_lib/src/chat_convert.h"
#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "client_lib/src/notify.h"

namespace requestrouter {

using ipc::Value;

namespace {

// A caller's function as the engine's, and why it stopped the answer.
template <typename Function>
class Guarded {
 public:
  explicit Guarded(Function function) : function_(std::move(function)) {}

  direct::OnBody sink() {
    return [this](const Value& body) {
      if (!stopped_) stopped_ = client::Notify(function_, body);
      return !stopped_;
    };
  }

  Result<Value> Judge(Result<Value> reply) const {
    if (stopped_ && !reply) reply.error().message = stopped_->message;
    return reply;
  }

 private:
  const Function function_;
  std::optional<Error> stopped_;
};

}  // namespace

bool RouterEnabled() {
  const char* value = std::getenv("LLM_MULTI_KEY_ROUTER_ENABLED");
  std::string word = value ? value : "";
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return word != "false" && word != "0" && word != "no" && word != "off";
}

DirectClient::DirectClient(DirectOptions options)
    : engine_(std::make_unique<direct::Engine>(std::move(options))) {}

DirectClient::~DirectClient() = default;

Result<ChatReply> DirectClient::Chat(const ChatRequest& request, const CallOptions& options) {
  return ChatStream(request, {}, options);
}

Result<ChatReply> DirectClient::ChatStream(const ChatRequest& request, const OnChatEvent& on_event,
                                           const CallOptions& options) {
  Result<ipc::ChatRequest> wire = client::ToWire(request, static_cast<bool>(on_event));
  if (!wire) return std::move(wire.error());
  Guarded guarded([&on_event](const Value& message) {
    const auto event = client::ChatEventFromBody(message);
    return !event || on_event(*event);
  });
  Result<Value> body = guarded.Judge(engine_->Chat(*wire, options.deadline, guarded.sink()));
  if (!body) return std::move(body.error());
  return client::ChatReplyFromBody(*body);
}

Result<std::string> DirectClient::Call(const std::string& op, const std::string& body_json,
                                       const CallOptions& options, const OnJsonEvent& on_event) {
  Result<Value> body = client::ParseBody(body_json);
  if (!body) return std::move(body.error());
  Guarded guarded([&on_event](const Value& message) {
    return !on_event || on_event(client::DumpBody(message));
  });
  Result<Value> reply = guarded.Judge(engine_->Call(op, *body, options.deadline, guarded.sink()));
  if (!reply) return std::move(reply.error());
  return client::DumpBody(std::move(*reply));
}

}  // namespace requestrouter
