#include "client_lib/direct/fallback.h"

#include <exception>
#include <utility>

#include "client_lib/src/errors.h"
#include "requestrouter/direct.h"

namespace requestrouter {

using std::chrono::milliseconds;

namespace direct {

std::optional<milliseconds> TimeForDirect(const Error& error, bool may_be_resent,
                                          std::chrono::steady_clock::time_point deadline) {
  if (error.type != ErrorType::kNoDaemon || !may_be_resent) return std::nullopt;
  const auto left = std::chrono::floor<milliseconds>(deadline - std::chrono::steady_clock::now());
  if (left < milliseconds(1)) return std::nullopt;
  return left;
}

}  // namespace direct

FallbackClient::FallbackClient(ClientOptions options, DirectOptions direct_options)
    : router_(std::move(options)), direct_options_(std::move(direct_options)) {}

FallbackClient::~FallbackClient() = default;

Result<DirectClient*> FallbackClient::Direct() {
  const std::lock_guard lock(mutex_);
  try {
    if (!direct_) direct_ = std::make_unique<DirectClient>(direct_options_);
    return direct_.get();
  } catch (const std::exception& error) {
    return client::MakeError(ErrorType::kInternalError,
                             std::string("cannot begin direct mode: ") + error.what());
  }
}

Result<ChatReply> FallbackClient::Chat(const ChatRequest& request, const CallOptions& options) {
  return ChatStream(request, {}, options);
}

Result<ChatReply> FallbackClient::ChatStream(const ChatRequest& request,
                                             const OnChatEvent& on_event,
                                             const CallOptions& options) {
  CallOptions left = options;
  const bool asks_router = RouterEnabled();
  if (asks_router) {
    const auto deadline = std::chrono::steady_clock::now() + options.deadline;
    auto reply =
        on_event ? router_.ChatStream(request, on_event, options) : router_.Chat(request, options);
    if (reply) return reply;
    const auto time =
        direct::TimeForDirect(reply.error(), request.on_unknown != OnUnknown::kFail, deadline);
    if (!time) return reply;
    left.deadline = *time;
  }
  const auto direct = Direct();
  if (!direct) return direct.error();
  auto reply = (*direct)->ChatStream(request, on_event, left);
  if (reply && asks_router) reply->warnings.emplace_back(direct::kFallbackWarning);
  return reply;
}

}  // namespace requestrouter
