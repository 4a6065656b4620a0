#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "daemon/ops/operations.h"
#include "ipc/codec.h"
#include "tests/daemon/fake_runner.h"
#include "tests/daemon/fake_store.h"
#include "tests/daemon/fakes.h"

namespace requestrouter {

// The keys whose changes were told, in order.
class RecordingObserver final : public router::Observer {
 public:
  void KeyChanged(const policy::KeyStatus& status, policy::FaultKind) override {
    changed.push_back(status.key_id);
  }
  std::vector<std::string> changed;
};

// All of the daemon between the socket and the providers, with three keys for one model: k1 and k2
// have secrets, k3 has none.
class DaemonTest : public ::testing::Test {
 protected:
  static constexpr const char* kModel = "flash";

  static config::Config ThreeKeys() {
    config::Config config;
    for (const char* id : {"k1", "k2", "k3"}) {
      config::Key key;
      key.key_id = key.quota_group = id;
      key.provider = "gemini";
      key.models.push_back({kModel, {}});
      config.keys.push_back(key);
    }
    config.providers["gemini"] = {};
    return config;
  }
  static std::shared_ptr<const secrets::Secret> SecretOf(const std::string& text) {
    return std::make_shared<const secrets::Secret>(text);
  }

  policy::Ask AskFor(const std::string& key_id) {
    policy::Ask ask;
    ask.ticket = ++last_ticket_;
    ask.model = kModel;
    ask.key_id = key_id;
    ask.demand.input_tokens = 1;
    ask.deadline = ask.wait_until = clock_.Steady() + std::chrono::minutes(1);
    return ask;
  }
  // An attempt with that key ends with a fault.
  void Fail(const std::string& key_id, policy::FaultKind kind) {
    const policy::Instant now = clock_.Steady();
    ASSERT_FALSE(dispatcher_.Enter(AskFor(key_id), now));
    const auto grant = dispatcher_.Next(now);
    ASSERT_TRUE(grant);
    policy::Report report;
    report.sent = true;
    report.may_retry = false;
    report.fault.kind = kind;
    report.fault.reason = "told so";
    dispatcher_.Finished(grant->ticket, report, now);
    keys_.Record(kind);
  }
  policy::KeyStateName StateOf(const std::string& key_id) const {
    return dispatcher_.Key(key_id, clock_.Steady())->state;
  }
  std::string VerdictOf(const std::string& key_id) {
    return std::string(dispatcher_.Consider(AskFor(key_id), clock_.Steady()).at(0).verdict);
  }
  // The state of a key as it was last stored.
  std::string StoredStateOf(const std::string& key_id) {
    Settle();
    std::string state;
    for (const auto& stored : store_.StoredOf<storage::KeyState>()) {
      if (stored.key_id == key_id) state = stored.state;
    }
    return state;
  }
  // Everything that can happen without time passing, happens.
  void Settle() {
    threads::Assume(threads::kRouterThread);
    do {
      store_.Finish();
    } while (mailbox_.Drain());
  }
  // The answer to an operation.
  ipc::Reply Ask(const ipc::Peer& peer, ipc::Body body) {
    const ipc::Envelope from = {"asker", ""};
    operations_.Handle(from, peer, {"id", 60'000, std::move(body), ""});
    Settle();
    return *ipc::DecodeReply(socket_.sent[from].back(), {});
  }

  router::FakeClock clock_;
  router::Mailbox mailbox_;
  router::FakeStore store_;
  router::FakeRunner runner_;
  router::FakeSocket socket_;
  router::Outbox outbox_{socket_};
  router::Replies replies_{outbox_};
  router::TraceLog traces_;
  RecordingObserver observer_;
  ops::Meters meters_;
  std::vector<ops::AdminOperation> admin_operations_;
  std::vector<bool> admin_failed_;
  std::shared_ptr<const router::Catalog> catalog_ = std::make_shared<const router::Catalog>(
      ThreeKeys(), router::Catalog::Secrets{{"k1", SecretOf("one")}, {"k2", SecretOf("two")}});
  policy::Dispatcher dispatcher_{catalog_->ToPolicy(clock_), 1};
  router::Users users_{clock_, mailbox_, [](const auto& task) { task(); },
                       [this](const ipc::Peer& peer, const std::string&) {
                         router::User user;
                         user.in_admin_group = peer.uid == admin_uid_;
                         return user;
                       }};
  router::CallerNames caller_names_{users_};
  uid_t admin_uid_ = 0;
  router::KeyRecorder keys_{clock_, mailbox_, dispatcher_, store_, observer_};
  router::ChatService chats_{{clock_, mailbox_, store_, runner_, dispatcher_, keys_, replies_,
                              traces_, users_, caller_names_, observer_},
                             catalog_};
  ops::Operations operations_{
      {clock_, mailbox_, store_, dispatcher_, keys_, replies_, chats_, users_, caller_names_,
       [](const auto& done) { done(ops::Operations::Reloaded{}); },
       [this](const ops::AdminOperation& operation) {
         admin_operations_.push_back(operation);
         admin_failed_.push_back(operation.error != nullptr);
       },
       clock_.Steady(), socket_, meters_, [] { return 0; }},
      catalog_};
  std::uint64_t last_ticket_ = 0;
};

}  // namespace requestrouter
