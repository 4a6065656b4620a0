#ifndef REQUESTROUTER_DIRECT_H_
#define REQUESTROUTER_DIRECT_H_

#include <memory>
#include <mutex>
#include <string>

#include "requestrouter/client.h"

namespace requestrouter {

namespace direct {
class Engine;
}

struct DirectOptions {
  // Empty: GEMINI_API_KEY or GOOGLE_API_KEY, OPENAI_API_KEY, ANTHROPIC_API_KEY, as the provider is.
  std::string api_key;
  // "gemini", "openai" or "anthropic". Empty: as the model's name says; without a model, the first
  // of the three that has a key in the environment.
  std::string provider;
};

// False where LLM_MULTI_KEY_ROUTER_ENABLED is false, 0, no or off. Unset means the router.
REQUESTROUTER_EXPORT bool RouterEnabled();

// Calls a provider without a daemon: for hosts that have none. One attempt, no waiting for quota,
// no failover and no retries; conversations live in this object's memory. Replies have the fields
// of the router's with key_id "direct" and persisted false. ROUTERD_<PROVIDER>_BASE_URL is
// honoured.
//
// In librequestrouter_direct.so (requestrouter::direct for CMake, requestrouter_direct for
// pkg-config), so that the client proper depends on no HTTP library. Any thread; not to be used in
// the child of a fork. Destruction ends the calls in flight with kClientClosed, once the callbacks
// that are running have returned; so not inside one of them.
class REQUESTROUTER_EXPORT DirectClient {
 public:
  explicit DirectClient(DirectOptions options = {});
  ~DirectClient();
  DirectClient(const DirectClient&) = delete;
  DirectClient& operator=(const DirectClient&) = delete;

  // As Client's, callbacks that throw included. The request id and `resend` of `options` mean
  // nothing here.
  Result<ChatReply> Chat(const ChatRequest& request, const CallOptions& options = {});
  Result<ChatReply> ChatStream(const ChatRequest& request, const OnChatEvent& on_event,
                               const CallOptions& options = {});

  // `chat`, `health` and `conversation.get`, `.truncate` and `.delete`, with the bodies
  // of PROTOCOL.md; anything else is kUnknownOp.
  Result<std::string> Call(const std::string& op, const std::string& body_json,
                           const CallOptions& options = {}, const OnJsonEvent& on_event = {});

 private:
  const std::unique_ptr<direct::Engine> engine_;
};

// Asks routerd, and calls the provider itself where no daemon answers (kNoDaemon) or
// RouterEnabled() is false at the time of the call. Using this class instead of Client is the
// permission; a Client never does so by itself.
//
// What the provider answered directly says so in `warnings`, besides key_id "direct": the daemon
// knows nothing of such turns, and its turns of the same conversation are not in this object's
// memory. Not called directly: a stream that has begun, and a chat with on_unknown kFail, which the
// daemon may have sent already. Each call waits for the daemon for `connect_timeout` first.
// Threads and forks as DirectClient's.
class REQUESTROUTER_EXPORT FallbackClient {
 public:
  explicit FallbackClient(ClientOptions options = {}, DirectOptions direct_options = {});
  ~FallbackClient();
  FallbackClient(const FallbackClient&) = delete;
  FallbackClient& operator=(const FallbackClient&) = delete;

  // As Client's.
  Result<ChatReply> Chat(const ChatRequest& request, const CallOptions& options = {});
  Result<ChatReply> ChatStream(const ChatRequest& request, const OnChatEvent& on_event,
                               const CallOptions& options = {});

  // For everything but chats.
  Client& router() { return router_; }

 private:
  // Made when it is needed first. Fails with kInternalError where descriptors or threads ran out.
  Result<DirectClient*> Direct();

  Client router_;
  const DirectOptions direct_options_;
  std::mutex mutex_;
  std::unique_ptr<DirectClient> direct_;  // guarded by mutex_
};

}  // namespace requestrouter

#endif  // REQUESTROUTER_DIRECT_H_
