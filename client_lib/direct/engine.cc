#include "client_lib/direct/engine.h"

#include <utility>

#include "client_lib/direct/failure.h"
#include "client_lib/src/errors.h"
#include "ipc/codec.h"
#include "ipc/decode_chat.h"
#include "ipc/rfc3339.h"

namespace requestrouter::direct {

using ipc::Value;
using std::chrono::milliseconds;

namespace {

// Through the wire's own encoder, so that both modes have the same fields.
Value BodyOf(const std::string& payload) {
  return std::get<Value>(ipc::DecodeReply(payload, {std::size_t{256} << 20, 64})->outcome);
}

ipc::Message MessageOf(const upstream::Answer& answer) {
  ipc::Message message = ipc::TextMessage(ipc::Role::kAssistant, answer.content);
  message.tool_calls = answer.tool_calls;
  message.provider_state = answer.provider_state;
  return message;
}

ipc::ChatReply ReplyOf(const upstream::Answer& answer, const ipc::ChatRequest& request,
                       const Endpoint& endpoint) {
  ipc::ChatReply reply;
  reply.content = answer.content;
  reply.model = endpoint.model;
  reply.model_requested = request.model_preference;
  reply.provider = endpoint.provider->name;
  reply.key_id = "direct";
  reply.tokens = answer.tokens;
  reply.finish_reason = answer.finish_reason;
  reply.tool_calls = answer.tool_calls;
  reply.provider_state = answer.provider_state;
  reply.conversation_id = request.conv_id;
  reply.attempts = 1;
  return reply;
}

Result<ipc::ChatRequest> ReadRequest(const Value& body) {
  std::optional<ipc::Error> mistake;
  ipc::Fields fields(body, "body", &mistake);
  ipc::ChatRequest request = ipc::ReadChat(fields);
  if (mistake) return client::FromWire(*mistake);
  return request;
}

Error Closed() {
  return client::MakeError(ErrorType::kClientClosed, "the client was destroyed while the call ran");
}

std::int64_t WallNow() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

Engine::~Engine() {
  threads::Lock lock(mutex_);
  closed_ = true;
  for (const auto& [id, pending] : pending_) upstream_.Cancel(id);
  lock.Wait(left_, [this]() RR_REQUIRES(mutex_) { return staying_ == 0; });
}

Engine::Stay::Stay(Engine& engine) : engine_(engine) {
  const threads::Lock lock(engine_.mutex_);
  ++engine_.staying_;
}

Engine::Stay::~Stay() {
  // Notified under the lock: the engine may go as soon as it is released.
  const threads::Lock lock(engine_.mutex_);
  --engine_.staying_;
  engine_.left_.notify_all();
}

// Well where a chat that names no model would find a key; of the provider itself nothing is known.
Value Engine::Health() const {
  const bool has_key = ChooseEndpoint(options_, "").ok();
  return {{"healthy", has_key},
          {"key_manager",
           {{"healthy", has_key},
            {"total_keys", has_key ? 1 : 0},
            {"active_keys", has_key ? 1 : 0},
            {"keys_in_cooldown", 0}}},
          {"conversation_store", true},
          {"storage", {{"engine", "memory"}, {"healthy", true}}},
          {"timestamp", ipc::FormatRfc3339(WallNow())}};
}

Result<Value> Engine::Chat(const ipc::ChatRequest& request, milliseconds deadline,
                           const OnBody& on_body) {
  const Stay stay(*this);
  if (deadline < milliseconds(1) || deadline > std::chrono::hours(24)) {
    return client::InvalidRequest("the deadline is not between 1 ms and 24 h");
  }
  Result<Endpoint> endpoint = ChooseEndpoint(options_, request.model_preference);
  if (!endpoint) return std::move(endpoint.error());
  const auto begun = std::chrono::steady_clock::now();
  auto prompt = std::make_shared<upstream::Prompt>();
  prompt->messages = memory_.Prompt(request);
  prompt->options = request;
  const Result<upstream::Outcome> outcome =
      Try({next_id_++, endpoint->provider, endpoint->model, endpoint->secret, std::move(prompt),
           request.stream, deadline},
          on_body);
  if (!outcome) return outcome.error();
  if (auto failure = FailureOf(*outcome, WallNow() / 1000)) return std::move(*failure);
  memory_.Add(request, MessageOf(*outcome->answer));
  ipc::ChatReply reply = ReplyOf(*outcome->answer, request, *endpoint);
  reply.duration_ms =
      std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begun).count();
  return BodyOf(ipc::EncodeChatReply("direct", reply));
}

Result<Value> Engine::Call(const std::string& op, const Value& body, milliseconds deadline,
                           const OnBody& on_body) {
  if (op == "conversation.get") return memory_.Get(body);
  if (op == "conversation.truncate") return memory_.Truncate(body);
  if (op == "conversation.delete") return memory_.Delete(body);
  if (op == "health") return Health();
  if (op != "chat") {
    return client::MakeError(ErrorType::kUnknownOp, "direct mode has no \"" + op + "\"");
  }
  Result<ipc::ChatRequest> request = ReadRequest(body);
  if (!request) return std::move(request.error());
  return Chat(*request, deadline, on_body);
}

void Engine::OnDelta(std::int64_t id, ipc::ChatDelta delta) {
  const threads::Lock lock(mutex_);
  Pending& pending = pending_.at(id);
  pending.deltas.push_back(std::move(delta));
  pending.changed.notify_one();
}

void Engine::OnOutcome(std::int64_t id, upstream::Outcome outcome) {
  const threads::Lock lock(mutex_);
  Pending& pending = pending_.at(id);
  pending.outcome = std::move(outcome);
  pending.changed.notify_one();
}

Result<upstream::Outcome> Engine::Try(upstream::Attempt attempt, const OnBody& on_body) {
  const std::int64_t id = attempt.id;
  Pending* pending = nullptr;
  {
    const threads::Lock lock(mutex_);
    if (closed_) return Closed();
    pending = &pending_[id];
    upstream_.Send(std::move(attempt));
  }
  std::int64_t seq = 0;
  while (const auto delta = NextDelta(*pending)) {
    if (on_body && !on_body(BodyOf(ipc::EncodeDelta("direct", seq++, *delta))))
      upstream_.Cancel(id);
  }
  const threads::Lock lock(mutex_);
  upstream::Outcome outcome = std::move(*pending->outcome);
  pending_.erase(id);
  if (closed_ && outcome.transport == upstream::Transport::kCancelled) return Closed();
  return outcome;
}

std::optional<ipc::ChatDelta> Engine::NextDelta(Pending& pending) {
  threads::Lock lock(mutex_);
  lock.Wait(pending.changed, [&] { return pending.outcome || !pending.deltas.empty(); });
  if (pending.deltas.empty()) return std::nullopt;
  ipc::ChatDelta delta = std::move(pending.deltas.front());
  pending.deltas.pop_front();
  return delta;
}

}  // namespace requestrouter::direct
