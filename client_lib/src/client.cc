#include "requestrouter/client.h"

#include <utility>

#include "client_lib/src/chat_convert.h"
#include "client_lib/src/connection.h"
#include "client_lib/src/errors.h"
#include "client_lib/src/info_convert.h"
#include "client_lib/src/json.h"
#include "client_lib/src/mailbox.h"
#include "client_lib/src/notify.h"
#include "client_lib/src/read.h"
#include "client_lib/src/request_id.h"

namespace requestrouter {

using ipc::Value;

namespace {

Result<ChatReply> ToChatReply(Result<Value> outcome, const std::string& request_id) {
  if (!outcome) return std::move(outcome.error());
  Result<ChatReply> reply = client::ChatReplyFromBody(*outcome);
  (reply ? reply->request_id : reply.error().request_id) = request_id;
  return reply;
}

// The observer of the callback form. Background thread only.
class CallbackObserver final : public client::Observer {
 public:
  CallbackObserver(std::string request_id, OnChatEvent on_event, OnChatDone on_done)
      : request_id_(std::move(request_id)),
        on_event_(std::move(on_event)),
        on_done_(std::move(on_done)) {}

  bool OnEvent(const Value& body) noexcept override {
    const auto event = client::ChatEventFromBody(body);
    if (!event || !on_event_) return true;
    stopped_ = client::Notify(on_event_, *event);
    return !stopped_;
  }

  void OnDone(Result<Value> outcome) noexcept override {
    try {
      Result<ChatReply> reply = ToChatReply(std::move(outcome), request_id_);
      if (stopped_ && !reply) reply.error().message = stopped_->message;
      on_done_(std::move(reply));
    } catch (...) {
      // The caller's function was told; what it throws has nowhere to go.
    }
  }

 private:
  const std::string request_id_;
  const OnChatEvent on_event_;
  const OnChatDone on_done_;
  std::optional<Error> stopped_;
};

}  // namespace

Client::Client(ClientOptions options)
    : connection_(std::make_unique<client::Connection>(std::move(options))) {}
Client::~Client() = default;

std::string Client::NewRequestId() { return client::NewRequestId(); }

Result<ChatReply> Client::Chat(const ChatRequest& request, const CallOptions& options) {
  const CallOptions with_id = client::WithId(options);
  auto wire = client::ToWire(request, /*stream=*/false);
  if (!wire) return std::move(wire.error());
  return ToChatReply(
      connection_->Ask(client::ChatEncoder(with_id.request_id, std::move(*wire)), with_id, {}),
      with_id.request_id);
}

Result<ChatReply> Client::ChatStream(const ChatRequest& request, const OnChatEvent& on_event,
                                     const CallOptions& options) {
  const CallOptions with_id = client::WithId(options);
  auto wire = client::ToWire(request, /*stream=*/true);
  if (!wire) return std::move(wire.error());
  const auto forward = [&on_event](const Value& body) -> std::optional<Error> {
    const auto event = client::ChatEventFromBody(body);
    if (!event || !on_event) return std::nullopt;
    return client::Notify(on_event, *event);
  };
  return ToChatReply(
      connection_->Ask(client::ChatEncoder(with_id.request_id, std::move(*wire)), with_id, forward),
      with_id.request_id);
}

std::future<Result<ChatReply>> Client::ChatAsync(const ChatRequest& request,
                                                 const CallOptions& options) {
  auto promise = std::make_shared<std::promise<Result<ChatReply>>>();
  auto future = promise->get_future();
  ChatAsync(
      request, {}, [promise](Result<ChatReply> reply) { promise->set_value(std::move(reply)); },
      options);
  return future;
}

void Client::ChatAsync(const ChatRequest& request, OnChatEvent on_event, OnChatDone on_done,
                       const CallOptions& options) {
  const CallOptions with_id = client::WithId(options);
  const bool stream = static_cast<bool>(on_event);
  auto observer = std::make_shared<CallbackObserver>(with_id.request_id, std::move(on_event),
                                                     std::move(on_done));
  auto wire = client::ToWire(request, stream);
  if (!wire) return observer->OnDone(std::move(wire.error()));
  connection_->Submit(client::ChatEncoder(with_id.request_id, std::move(*wire)), with_id,
                      std::move(observer));
}

Result<std::string> Client::Call(const std::string& op, const std::string& body_json,
                                 const CallOptions& options, const OnJsonEvent& on_event) {
  auto body = client::ParseBody(body_json);
  if (!body) return std::move(body.error());
  const auto forward = [&on_event](const Value& event) -> std::optional<Error> {
    if (!on_event) return std::nullopt;
    return client::Notify(on_event, client::DumpBody(event));
  };
  auto reply = connection_->AskBody(op, std::move(*body), options, forward);
  if (!reply) return std::move(reply.error());
  return client::DumpBody(std::move(*reply));
}

Result<bool> Client::Cancel(const std::string& request_id, const CallOptions& options) {
  auto body = connection_->Cancel(request_id, options);
  if (!body) return std::move(body.error());
  return client::ReadBool(*body, "cancelled");
}

Result<Health> Client::GetHealth(const CallOptions& options) {
  auto body = connection_->AskBody("health", Value::object(), options);
  if (!body) return std::move(body.error());
  return client::HealthFromBody(*body);
}

Result<std::vector<Model>> Client::GetModels(const CallOptions& options) {
  auto body = connection_->AskBody("models", Value::object(), options);
  if (!body) return std::move(body.error());
  return client::ModelsFromBody(*body);
}

Result<Conversation> Client::GetConversation(const std::string& conversation_id,
                                             std::optional<std::int64_t> limit,
                                             const CallOptions& options) {
  Value request = {{"conv_id", conversation_id}};
  if (limit) request["limit"] = *limit;
  auto body = connection_->AskBody("conversation.get", std::move(request), options);
  if (!body) return std::move(body.error());
  return client::ConversationFromBody(*body);
}

Result<ConversationPage> Client::ListConversations(const ConversationQuery& query,
                                                   const CallOptions& options) {
  Value request = {{"limit", query.limit}};
  if (!query.prefix.empty()) request["prefix"] = query.prefix;
  if (!query.user_id.empty()) request["user_id"] = query.user_id;
  if (!query.after.empty()) request["after"] = query.after;
  auto body = connection_->AskBody("conversation.list", std::move(request), options);
  if (!body) return std::move(body.error());
  return client::ConversationPageFromBody(*body);
}

Result<TruncateResult> Client::TruncateConversation(const std::string& conversation_id,
                                                    std::int64_t keep_last_n,
                                                    const CallOptions& options) {
  auto body =
      connection_->AskBody("conversation.truncate",
                           {{"conv_id", conversation_id}, {"keep_last_n", keep_last_n}}, options);
  if (!body) return std::move(body.error());
  return TruncateResult{client::ReadInt(*body, "removed"), client::ReadInt(*body, "message_count")};
}

Result<bool> Client::DeleteConversation(const std::string& conversation_id,
                                        const CallOptions& options) {
  auto body = connection_->AskBody("conversation.delete", {{"conv_id", conversation_id}}, options);
  if (!body) return std::move(body.error());
  return client::ReadBool(*body, "deleted");
}

}  // namespace requestrouter
