#ifndef REQUESTROUTER_CLIENT_H_
#define REQUESTROUTER_CLIENT_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "requestrouter/error.h"
#include "requestrouter/export.h"
#include "requestrouter/types.h"

namespace requestrouter {

namespace client {
class Connection;
}

struct ClientOptions {
  // Empty: REQUESTROUTER_ENDPOINT, else ipc://$XDG_RUNTIME_DIR/requestrouter/router.sock, else
  // ipc:///run/requestrouter/router.sock.
  std::string endpoint;
  // How long a call waits for a daemon that has not been reached yet (kNoDaemon).
  std::chrono::milliseconds connect_timeout{2'000};
  // How long a call waits for a daemon that was there and went away: the time a restart may take.
  std::chrono::milliseconds reconnect_timeout{30'000};
  // Larger requests are refused here (kPayloadTooLarge). Raise it together with the daemon's limit.
  std::size_t max_payload_bytes = std::size_t{16} << 20;
};

struct CallOptions {
  // How long the caller wants the answer; 1 ms to 24 h.
  std::chrono::milliseconds deadline{120'000};
  // The idempotency key; empty: a new one. A chat that is asked again with the same id and the same
  // request joins the first or is answered from its stored result.
  std::string request_id;
  // Ask again when the daemon restarts or answers `shutting_down`. Otherwise the call fails.
  bool resend = true;
};

// Called for every delta and progress report, in order. Return false to cancel the request. If it
// throws, the request is cancelled and ends with kCancelled naming the exception.
using OnChatEvent = std::function<bool(const ChatEvent&)>;
// Called exactly once. An exception it throws is swallowed.
using OnChatDone = std::function<void(Result<ChatReply>)>;
// As OnChatEvent, with the reply body as JSON text.
using OnJsonEvent = std::function<bool(const std::string& body_json)>;

// A connection to routerd.
//
// Does no I/O until the first call, which starts one background thread; all calls share its socket.
// Every method may be called from any thread. When the daemon restarts, unanswered requests are
// sent again under the same id, so a restart is invisible unless it outlasts `reconnect_timeout`;
// a stream whose first delta was delivered ends with kUpstreamUnavailable, `interrupted` in the
// details and what came so far in `partial_content`.
//
// Destruction completes all calls in flight with kClientClosed and then returns; blocked callers
// on other threads are released, and must not use the object again.
//
// After fork() the child's first call starts a connection of its own. Calls that were in flight in
// the parent complete in the parent only.
//
// Blocking methods fail with kInvalidRequest when called inside a callback that runs on the
// background thread (see ChatAsync), because they would wait for themselves.
class REQUESTROUTER_EXPORT Client {
 public:
  explicit Client(ClientOptions options = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Waits for the answer.
  Result<ChatReply> Chat(const ChatRequest& request, const CallOptions& options = {});

  // Streams: waits for the answer and calls `on_event` on this thread as pieces arrive.
  Result<ChatReply> ChatStream(const ChatRequest& request, const OnChatEvent& on_event,
                               const CallOptions& options = {});

  // Returns at once. The future never throws of its own accord.
  std::future<Result<ChatReply>> ChatAsync(const ChatRequest& request,
                                           const CallOptions& options = {});

  // Streams without waiting: both callbacks run on the background thread and must not block.
  // Without `on_event` the answer comes in one piece. `on_done` may run before this returns.
  void ChatAsync(const ChatRequest& request, OnChatEvent on_event, OnChatDone on_done,
                 const CallOptions& options = {});

  // Cancels a chat of this user by its request id, whoever sent it. False: it is not running.
  Result<bool> Cancel(const std::string& request_id, const CallOptions& options = {});

  Result<Health> GetHealth(const CallOptions& options = {});
  Result<std::vector<Model>> GetModels(const CallOptions& options = {});

  Result<Conversation> GetConversation(const std::string& conversation_id,
                                       std::optional<std::int64_t> limit = std::nullopt,
                                       const CallOptions& options = {});
  Result<ConversationPage> ListConversations(const ConversationQuery& query = {},
                                             const CallOptions& options = {});
  // Keeps whole turns, with at most `keep_last_n` messages in all.
  Result<TruncateResult> TruncateConversation(const std::string& conversation_id,
                                              std::int64_t keep_last_n = 20,
                                              const CallOptions& options = {});
  // False: there was none.
  Result<bool> DeleteConversation(const std::string& conversation_id,
                                  const CallOptions& options = {});

  // Any operation of the protocol: its body as a JSON object (empty: none) to the reply's body as
  // JSON. `on_event` gets the messages before the final one, on this thread.
  Result<std::string> Call(const std::string& op, const std::string& body_json,
                           const CallOptions& options = {}, const OnJsonEvent& on_event = {});

  // 128 random bits in hexadecimal.
  static std::string NewRequestId();

 private:
  const std::unique_ptr<client::Connection> connection_;
};

}  // namespace requestrouter

#endif  // REQUESTROUTER_CLIENT_H_
