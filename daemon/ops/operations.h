#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "daemon/ops/admin_operation.h"
#include "daemon/ops/families.h"
#include "daemon/ops/meters.h"
#include "daemon/ops/state.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/router/caller_names.h"
#include "daemon/router/catalog.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/clock.h"
#include "daemon/router/key_recorder.h"
#include "daemon/router/later.h"
#include "daemon/router/mailbox.h"
#include "daemon/router/replies.h"
#include "ipc/operations.h"
#include "ipc/socket.h"
#include "storage/store.h"

namespace requestrouter::ops {

// Everything that can be asked besides `chat`: what operators and agents look up and change.
// One member a request type; PROTOCOL.md's table says what each answers. Router thread only.
class Operations {
 public:
  struct Reloaded {
    std::vector<std::string> changed;
    std::vector<std::string> warnings;
  };

  // Everything that is used outlives the operations.
  struct Parts {
    const router::Clock& clock;
    router::Mailbox& mailbox;
    storage::Store& store;
    policy::Dispatcher& dispatcher;
    router::KeyRecorder& keys;
    router::Replies& replies;
    router::ChatService& chats;
    router::Users& users;
    router::CallerNames& caller_names;
    // Reads the configuration and the secrets again, on the helper thread; the argument is called
    // on the router thread with what changed. An error changes nothing and says why.
    std::function<void(std::function<void(ipc::Result<Reloaded>)>)> reload;
    // Told of every operation of an administrator when it is answered.
    std::function<void(const AdminOperation&)> on_admin_operation;
    policy::Instant started;
    const ipc::ServerSocket& socket;
    const Meters& meters;
    std::function<std::uint64_t()> lost_log_lines;
  };

  Operations(Parts parts, std::shared_ptr<const router::Catalog> catalog);

  void SetCatalog(std::shared_ptr<const router::Catalog> catalog);

  // Of one process at once, so that nobody's readings stand in the way of everybody's turns.
  static constexpr int kMostAtOnce = 64;

  // Answers now or, where storage or the user database has to be asked, later; of those above
  // kMostAtOnce that take longer than a turn: `overloaded`.
  void Handle(const ipc::Envelope& from, const ipc::Peer& peer, const ipc::Request& request);

  // All metrics, as the `metrics` operation and the listener give them. `done` is called on one of
  // storage's threads, also while it closes.
  void GatherMetrics(const std::function<void(Families)>& done) const;

  // The health as the `health` operation reports it.
  ipc::Value HealthBody() const;

 private:
  // Where the answer of one request goes.
  struct Asker {
    ipc::Envelope from;
    ipc::Peer peer;
    std::string id;
    bool is_admin = false;  // decided once; false as well where it makes no difference
    std::shared_ptr<AdminOperation> admin_operation;  // null: everybody may ask for it
  };

  void Answer(Asker asker, const ipc::Body& body);
  // The final answer: once for each that Handle was given.
  void Reply(const Asker& asker, ipc::Result<ipc::Value> body);
  void ReplyLine(const Asker& asker, std::string line);
  static ipc::Result<void> RequireAdmin(const Asker& asker);
  // The uid whose rows are asked for: the asker's own, unless an administrator names another.
  static ipc::Result<std::uint32_t> OwnerOf(const Asker& asker, std::optional<std::uint32_t> uid);

  // health.cc
  void On(const Asker& asker, const ipc::PingRequest& request);
  void On(const Asker& asker, const ipc::HealthRequest& request);
  void On(const Asker& asker, const ipc::ModelsRequest& request);
  // metrics.cc
  void On(const Asker& asker, const ipc::MetricsRequest& request);
  State TakeState() const;
  // keys.cc
  void On(const Asker& asker, const ipc::KeysListRequest& request);
  void On(const Asker& asker, const ipc::KeysResetRequest& request);
  void On(const Asker& asker, const ipc::KeysDisableRequest& request);
  void On(const Asker& asker, const ipc::KeysEnableRequest& request);
  void SetEnabled(const Asker& asker, const std::string& key_id, bool enabled);
  ipc::Result<ipc::Value> ResetKeys(const ipc::KeysResetRequest& request);
  void ReplyWhenStored(const Asker& asker, ipc::Result<ipc::Value> body);
  // conversations.cc
  void On(const Asker& asker, const ipc::ConversationGetRequest& request);
  void On(const Asker& asker, const ipc::ConversationListRequest& request);
  void On(const Asker& asker, const ipc::ConversationTruncateRequest& request);
  void On(const Asker& asker, const ipc::ConversationDeleteRequest& request);
  void On(const Asker& asker, const ipc::ConversationExportRequest& request);
  void ExportNext(const Asker& asker, const std::string& after, std::int64_t lines);
  // requests.cc
  void On(const Asker& asker, const ipc::CancelRequest& request);
  void On(const Asker& asker, const ipc::ExplainRequest& request);
  void On(const Asker& asker, const ipc::QueueRequest& request);
  // admin.cc
  void On(const Asker& asker, const ipc::UsageRequest& request);
  void On(const Asker& asker, const ipc::BackupRequest& request);
  void On(const Asker& asker, const ipc::RestoreRequest& request);
  void On(const Asker& asker, const ipc::CheckRequest& request);
  void On(const Asker& asker, const ipc::ReloadRequest& request);
  // chat goes to ChatService and never comes here
  void On(const Asker& asker, const ipc::ChatRequest& request);

  template <typename T, typename Handle>
  storage::Store::Done<T> Later(Handle handle) {
    return router::Later<T>(parts_.mailbox, std::move(handle));
  }

  Parts parts_;
  std::shared_ptr<const router::Catalog> catalog_;
  std::unordered_map<pid_t, int> under_way_;
};

}  // namespace requestrouter::ops
