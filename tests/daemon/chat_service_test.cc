#include "daemon/router/chat_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "ipc/codec.h"
#include "ipc/digest.h"
#include "tests/daemon/fake_runner.h"
#include "tests/daemon/fake_store.h"
#include "tests/daemon/fakes.h"

namespace requestrouter::router {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

const ipc::Envelope kPeer = {"peer", ""};
const ipc::Envelope kOther = {"other", ""};
constexpr ipc::Peer kCaller = {1000, 1000, 4242};

config::Key KeyOf(const std::string& id) {
  config::Key key;
  key.key_id = id;
  key.provider = "gemini";
  key.quota_group = id;
  config::ModelOfKey model;
  model.name = "flash";
  model.limits.rpm = policy::Limit{2};
  key.models.push_back(model);
  return key;
}

std::shared_ptr<const Catalog> TwoKeys() {
  config::Config config;
  config.keys = {KeyOf("k1"), KeyOf("k2")};
  config.keys[1].priority = 3;
  config.providers["gemini"] = {};
  Catalog::Secrets secrets;
  for (const char* id : {"k1", "k2"}) {
    secrets[id] = std::make_shared<const secrets::Secret>(std::string("secret-of-") + id);
  }
  return std::make_shared<const Catalog>(std::move(config), std::move(secrets));
}

ipc::Request Ask(const std::string& id, const std::string& prompt, const std::string& conv = "") {
  ipc::ChatRequest chat;
  chat.messages.push_back(ipc::TextMessage(ipc::Role::kUser, prompt));
  chat.conv_id = conv;
  return {id, 60'000, chat, ipc::Digest(prompt)};
}

upstream::Outcome Answered(const std::string& text) {
  upstream::Outcome outcome;
  outcome.status = 200;
  outcome.sent_at = policy::Instant{std::chrono::hours(1000)};
  outcome.answer.emplace();
  outcome.answer->content = text;
  outcome.answer->tokens = {10, 5, 15, 0, 0};
  outcome.answer->tokens_known = true;
  return outcome;
}

upstream::Outcome Refused(int status, const std::string& code) {
  upstream::Outcome outcome;
  outcome.status = status;
  outcome.sent_at = policy::Instant{std::chrono::hours(1000)};
  outcome.error.emplace();
  outcome.error->readable = true;
  outcome.error->code = code;
  outcome.error->message = "no";
  return outcome;
}

class ChatServiceTest : public ::testing::Test {
 protected:
  // Everything that can happen without time passing, happens.
  void Settle() {
    threads::Assume(threads::kRouterThread);
    do {
      chats_.Tick();
      store_.Finish();
    } while (mailbox_.Drain());
    outbox_.SendPosted();
  }
  void Submit(ipc::Request request, const ipc::Envelope& from = kPeer) {
    chats_.Submit(from, kCaller, std::move(request));
    Settle();
  }
  void End(std::size_t attempt, const upstream::Outcome& outcome) {
    chats_.OnOutcome(runner_.sent.at(attempt).id, outcome);
    Settle();
  }
  void AnswerLookUps() {
    for (const Users::Task& look_up : std::exchange(looked_up_, {})) look_up();
    Settle();
  }
  void Wait(milliseconds time) {
    clock_.Advance(time);
    Settle();
  }
  // The replies that a peer has had, decoded.
  std::vector<ipc::Reply> RepliesTo(const ipc::Envelope& peer) {
    outbox_.SendPosted();
    std::vector<ipc::Reply> replies;
    for (const std::string& payload : socket_.sent[peer]) {
      replies.push_back(*ipc::DecodeReply(payload, {}));
    }
    return replies;
  }
  ipc::Value LastBody(const ipc::Envelope& peer = kPeer) {
    const auto replies = RepliesTo(peer);
    if (replies.empty()) return {};
    const auto* body = std::get_if<ipc::Value>(&replies.back().outcome);
    return body ? *body : ipc::Value();
  }
  ipc::ErrorType LastError(const ipc::Envelope& peer = kPeer) {
    return std::get<ipc::Error>(RepliesTo(peer).back().outcome).type;
  }

  FakeClock clock_;
  Mailbox mailbox_;
  FakeStore store_;
  FakeRunner runner_;
  FakeSocket socket_;
  Outbox outbox_{socket_};
  Replies replies_{outbox_};
  TraceLog traces_;
  Observer observer_;
  std::shared_ptr<const Catalog> catalog_ = TwoKeys();
  policy::Dispatcher dispatcher_{catalog_->ToPolicy(clock_), 1};
  Users users_{clock_, mailbox_,
               [this](Users::Task task) { looked_up_.push_back(std::move(task)); },
               [this](const ipc::Peer&, const std::string&) { return user_; }};
  CallerNames caller_names_{users_};
  std::vector<Users::Task> looked_up_;
  User user_;
  KeyRecorder keys_{clock_, mailbox_, dispatcher_, store_, observer_};
  ChatService chats_{{clock_, mailbox_, store_, runner_, dispatcher_, keys_, replies_, traces_,
                      users_, caller_names_, observer_},
                     catalog_};
};

TEST_F(ChatServiceTest, ARequestIsSentWithTheBestKeysSecretAndItsAnswerComesBack) {
  Submit(Ask("a", "hello"));
  ASSERT_EQ(runner_.sent.size(), 1u);
  EXPECT_EQ(runner_.sent[0].secret, "secret-of-k1");
  EXPECT_EQ(runner_.sent[0].model, "flash");
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody()["content"], "hi");
  EXPECT_EQ(LastBody()["key_id"], "k1");
  EXPECT_EQ(LastBody()["persisted"], false);
  EXPECT_TRUE(chats_.idle());
}

TEST_F(ChatServiceTest, TheFirstTurnOfANewConversationWaitsForNoRead) {
  store_.knows_conversations = true;
  chats_.Submit(kPeer, kCaller, Ask("a", "hello", "talk"));
  ASSERT_EQ(runner_.sent.size(), 1u);
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody()["persisted"], true);
  chats_.Submit(kPeer, kCaller, Ask("b", "and?", "talk"));
  EXPECT_EQ(runner_.sent.size(), 1u);  // what was said before is read first
  Settle();
  ASSERT_EQ(runner_.sent.size(), 2u);
  EXPECT_EQ(runner_.sent[1].prompt->messages.size(), 3u);
}

TEST_F(ChatServiceTest, AnAdministratorMayChooseTheKey) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).key_id = "k2";
  chats_.Submit(kPeer, {0, 0, 4242}, request);
  Settle();
  ASSERT_EQ(runner_.sent.size(), 1u);
  EXPECT_EQ(runner_.sent[0].secret, "secret-of-k2");
  request.id = "b";
  std::get<ipc::ChatRequest>(request.body).key_id = "k3";
  chats_.Submit(kPeer, {0, 0, 4242}, request);
  Settle();
  EXPECT_EQ(LastError(), ipc::ErrorType::kNotFound);
}

TEST_F(ChatServiceTest, WhoIsNoAdministratorMayNotChooseTheKey) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).key_id = "k2";
  const uid_t another = geteuid() + 1;
  chats_.Submit(kPeer, {another, another, 4242}, request);
  Settle();
  EXPECT_TRUE(runner_.sent.empty());
  AnswerLookUps();
  EXPECT_EQ(LastError(), ipc::ErrorType::kPermissionDenied);
}

TEST_F(ChatServiceTest, AnAttemptIsLoggedBeforeItIsSent) {
  chats_.Submit(kPeer, kCaller, Ask("a", "hello"));
  chats_.Tick();
  ASSERT_EQ(store_.opened.size(), 1u);
  ASSERT_EQ(runner_.sent.size(), 1u);
  EXPECT_EQ(runner_.sent[0].id, store_.opened[0].attempt_id);
}

TEST_F(ChatServiceTest, WhatItsProviderCountsOfAnAttemptIsLogged) {
  policy::Config config = catalog_->ToPolicy(clock_);
  for (policy::KeySpec& key : config.keys) {
    key.models[0].limits.counts = policy::Counts::kInputAndMaxOutput;
  }
  dispatcher_.Configure(std::move(config), clock_.Steady());
  ipc::Request request = Ask("a", "hello", "talk");
  std::get<ipc::ChatRequest>(request.body).max_output_tokens = 500;
  Submit(request);
  ASSERT_EQ(store_.opened.size(), 1u);
  EXPECT_EQ(store_.opened[0].counted_tokens, store_.opened[0].input_tokens + 500);
  End(0, Answered("hi"));
  const auto ends = store_.WritesOf<std::shared_ptr<const storage::Finish>>();
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0]->attempt->input_tokens, 10);
  EXPECT_EQ(ends[0]->attempt->output_tokens, 5);
  EXPECT_EQ(ends[0]->attempt->counted_tokens, 510);
}

TEST_F(ChatServiceTest, AnAttemptThatCannotBeLoggedIsSentForAOneShotOnly) {
  threads::Assume(threads::kRouterThread);
  chats_.Submit(kPeer, kCaller, Ask("turn", "hello", "talk"));
  store_.Finish();  // its history is read
  store_.failing = true;
  mailbox_.Drain();
  EXPECT_TRUE(runner_.sent.empty());
  EXPECT_EQ(LastError(), ipc::ErrorType::kStorageUnavailable);
  EXPECT_EQ(dispatcher_.Keys(clock_.Steady()).at(0).in_flight, 0) << "the grant is given back";
  std::vector<storage::AttemptClosed> closed;
  for (const auto& end : store_.WritesOf<std::shared_ptr<const storage::Finish>>()) {
    if (end->attempt) closed.push_back(*end->attempt);
  }
  ASSERT_EQ(closed.size(), 1u);
  EXPECT_FALSE(closed[0].counted);
  chats_.Submit(kPeer, kCaller, Ask("one-shot", "hello"));
  EXPECT_EQ(runner_.sent.size(), 1u);
}

TEST_F(ChatServiceTest, TheAnswerToATurnLeavesAfterItsCommit) {
  threads::Assume(threads::kRouterThread);
  Submit(Ask("a", "hello", "talk"));
  chats_.OnOutcome(runner_.sent.at(0).id, Answered("hi"));
  mailbox_.Drain();
  EXPECT_TRUE(socket_.sent[kPeer].empty());
  Settle();
  EXPECT_EQ(LastBody()["persisted"], true);
  EXPECT_EQ((store_.conversations.at({1000, "talk"}).messages.size()), 2u);
}

TEST_F(ChatServiceTest, TheSecondTurnIsAskedWithTheFirstOneInFront) {
  Submit(Ask("a", "my name is Ada", "talk"));
  End(0, Answered("hello Ada"));
  Submit(Ask("b", "what is my name?", "talk"));
  ASSERT_EQ(runner_.sent.size(), 2u);
  const auto& messages = runner_.sent[1].prompt->messages;
  ASSERT_EQ(messages.size(), 3u);
  EXPECT_EQ(ipc::TextOf(messages[0]), "my name is Ada");
  EXPECT_EQ(ipc::TextOf(messages[1]), "hello Ada");
  EXPECT_EQ(ipc::TextOf(messages[2]), "what is my name?");
}

TEST_F(ChatServiceTest, TurnsOfAConversationGoOneAtATimeInTheOrderReceived) {
  Submit(Ask("a", "first", "talk"));
  Submit(Ask("b", "second", "talk"));
  EXPECT_EQ(runner_.sent.size(), 1u);
  End(0, Answered("one"));
  ASSERT_EQ(runner_.sent.size(), 2u);
  EXPECT_EQ(runner_.sent[1].prompt->messages.size(), 3u);
}

TEST_F(ChatServiceTest, AFailedTurnLeavesNothingInTheHistory) {
  Submit(Ask("a", "hello", "talk"));
  End(0, Refused(400, "INVALID_ARGUMENT"));
  EXPECT_EQ(LastError(), ipc::ErrorType::kUpstreamRejected);
  EXPECT_TRUE(store_.conversations.empty());
}

TEST_F(ChatServiceTest, ARateLimitedKeyCoolsAndTheNextOneTakesOver) {
  Submit(Ask("a", "hello"));
  End(0, Refused(429, "RESOURCE_EXHAUSTED"));
  Wait(seconds(30));
  ASSERT_GE(runner_.sent.size(), 2u);
  EXPECT_EQ(runner_.sent[1].secret, "secret-of-k2");
  End(1, Answered("hi"));
  EXPECT_EQ(LastBody()["attempts"], 2);
}

TEST_F(ChatServiceTest, TheSameIdAndBodyJoinsWhileItRunsAndIsReplayedAfterwards) {
  Submit(Ask("a", "hello"));
  Submit(Ask("a", "hello"), kOther);
  EXPECT_EQ(runner_.sent.size(), 1u);
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody(kPeer)["content"], "hi");
  EXPECT_EQ(LastBody(kOther)["content"], "hi");
  EXPECT_EQ(LastBody(kOther)["replayed"], false);
  Submit(Ask("a", "hello"), kOther);
  EXPECT_EQ(LastBody(kOther)["replayed"], true);
  EXPECT_EQ(runner_.sent.size(), 1u);
}

TEST_F(ChatServiceTest, TheSameIdWithAnotherBodyIsAConflictWhileItRunsAndAfterwards) {
  Submit(Ask("a", "hello"));
  Submit(Ask("a", "something else"), kOther);
  EXPECT_EQ(LastError(kOther), ipc::ErrorType::kRequestIdConflict);
  End(0, Answered("hi"));
  Submit(Ask("a", "something else"), kOther);
  EXPECT_EQ(LastError(kOther), ipc::ErrorType::kRequestIdConflict);
}

TEST_F(ChatServiceTest, AJoinerOfAStreamGetsAllDeltasFromTheFirst) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).stream = true;
  Submit(request);
  chats_.OnDelta(runner_.sent[0].id, {"one ", "", std::nullopt});
  Submit(request, kOther);
  chats_.OnDelta(runner_.sent[0].id, {"two", "", std::nullopt});
  End(0, Answered("one two"));
  const auto replies = RepliesTo(kOther);
  ASSERT_EQ(replies.size(), 3u);
  EXPECT_EQ(std::get<ipc::Value>(replies[0].outcome)["seq"], 0);
  EXPECT_EQ(std::get<ipc::Value>(replies[0].outcome)["delta"]["text"], "one ");
  EXPECT_EQ(std::get<ipc::Value>(replies[1].outcome)["delta"]["text"], "two");
  EXPECT_TRUE(replies[2].final);
}

TEST_F(ChatServiceTest, NothingIsRetriedAfterTheFirstDelta) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).stream = true;
  Submit(request);
  chats_.OnDelta(runner_.sent[0].id, {"one ", "", std::nullopt});
  upstream::Outcome cut;
  cut.transport = upstream::Transport::kInterrupted;
  cut.streamed = true;
  cut.sent_at = policy::Instant{std::chrono::hours(1000)};
  End(0, cut);
  Wait(seconds(10));
  EXPECT_EQ(runner_.sent.size(), 1u);
  const auto error = std::get<ipc::Error>(RepliesTo(kPeer).back().outcome);
  EXPECT_EQ(error.type, ipc::ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(error.details["interrupted"], true);
}

TEST_F(ChatServiceTest, ACancelledRequestIsAnsweredAtOnceAndItsAttemptIsCutOff) {
  Submit(Ask("a", "hello"));
  EXPECT_TRUE(chats_.Cancel(1000, "a"));
  EXPECT_EQ(LastError(), ipc::ErrorType::kCancelled);
  EXPECT_EQ(runner_.cancelled.size(), 1u);
  upstream::Outcome cancelled;
  cancelled.transport = upstream::Transport::kCancelled;
  End(0, cancelled);
  EXPECT_EQ(RepliesTo(kPeer).size(), 1u) << "at most one final message";
  EXPECT_TRUE(chats_.idle());
}

TEST_F(ChatServiceTest, WhoAsksAgainWhileTheEndOfACancelledOneIsStoredAsksAnew) {
  Submit(Ask("a", "hello"));
  ASSERT_TRUE(chats_.Cancel(kCaller.uid, "a"));
  chats_.Submit(kOther, kCaller, Ask("a", "hello"));
  EXPECT_TRUE(RepliesTo(kOther).empty());
  upstream::Outcome cancelled;
  cancelled.transport = upstream::Transport::kCancelled;
  End(0, cancelled);
  ASSERT_EQ(runner_.sent.size(), 2u);
  End(1, Answered("hi"));
  EXPECT_EQ(LastBody(kOther)["content"], "hi");
  EXPECT_EQ(RepliesTo(kPeer).size(), 1u);
}

TEST_F(ChatServiceTest, AnotherUidCannotCancelIt) {
  Submit(Ask("a", "hello"));
  EXPECT_FALSE(chats_.Cancel(1001, "a"));
}

TEST_F(ChatServiceTest, TheDeadlineIsKeptToTheMillisecond) {
  Submit(Ask("a", "hello"));
  Wait(milliseconds(59'999));
  EXPECT_TRUE(socket_.sent[kPeer].empty());
  Wait(milliseconds(1));
  EXPECT_EQ(LastError(), ipc::ErrorType::kDeadlineExceeded);
}

TEST_F(ChatServiceTest, ATurnThatCannotBeMadeDurableSpendsNoQuota) {
  store_.failing = true;
  Submit(Ask("a", "hello", "talk"));
  EXPECT_EQ(LastError(), ipc::ErrorType::kStorageUnavailable);
  EXPECT_TRUE(runner_.sent.empty());
}

TEST_F(ChatServiceTest, AnAnswerThatCameBeforeTheDiskFailedIsDeliveredAndStoredLater) {
  Submit(Ask("a", "hello", "talk"));
  store_.failing = true;
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody()["content"], "hi");
  EXPECT_EQ(LastBody()["persisted"], false);
  EXPECT_THAT(LastBody()["warnings"].dump(), HasSubstr("stored"));
  EXPECT_TRUE(store_.conversations.empty());
  Submit(Ask("a", "hello", "talk"));
  EXPECT_EQ(LastBody()["replayed"], true) << "what is known is not paid for again";
  EXPECT_EQ(LastBody()["persisted"], false);
  store_.failing = false;
  Wait(seconds(1));
  Submit(Ask("a", "hello", "talk"));
  EXPECT_EQ(LastBody()["replayed"], true);
  EXPECT_EQ(LastBody()["persisted"], true);
  EXPECT_EQ(runner_.sent.size(), 1u);
  EXPECT_EQ((store_.conversations.at({1000, "talk"}).messages.size()), 2u);
}

TEST_F(ChatServiceTest, AnUnknownOutcomeIsSaidInTheRetryOrFailsIt) {
  storage::Recovered recovered;
  storage::UnknownAttempt attempt;
  attempt.unknown_until = clock_.Wall() + 1'000;
  attempt.opened.uid = 1000;
  attempt.opened.body_digest = ipc::Digest("hello");
  attempt.opened.request_id = "a";
  recovered.unknown.push_back(attempt);
  attempt.opened.request_id = "b";
  recovered.unknown.push_back(attempt);
  chats_.Restore(recovered, [](const auto&) {});
  Submit(Ask("a", "hello"));
  End(0, Answered("hi"));
  EXPECT_THAT(LastBody()["warnings"].dump(), HasSubstr("unknown"));
  ipc::Request cautious = Ask("b", "hello");
  std::get<ipc::ChatRequest>(cautious.body).on_unknown = ipc::OnUnknown::kFail;
  Submit(cautious);
  const auto error = std::get<ipc::Error>(RepliesTo(kPeer).back().outcome);
  EXPECT_EQ(error.type, ipc::ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(error.details["outcome"], "unknown");
  EXPECT_EQ(error.retryable, false);
  EXPECT_EQ(runner_.sent.size(), 1u);
}

TEST_F(ChatServiceTest, ACallerThatEndsLosesWhatWaitsAndItsStreamsNotItsOtherAnswers) {
  Submit(Ask("unary", "hello", "talk"));
  Submit(Ask("next", "again", "talk"));
  chats_.CallerGone(kCaller.pid);
  EXPECT_TRUE(runner_.cancelled.empty());
  End(0, Answered("hi"));
  EXPECT_EQ(runner_.sent.size(), 1u) << "the waiting turn is forgotten";
  EXPECT_EQ((store_.conversations.at({1000, "talk"}).messages.size()), 2u);
}

TEST_F(ChatServiceTest, WhatAnotherProcessHasJoinedGoesOnWhenItsFirstSenderEnds) {
  constexpr ipc::Peer kSuccessor = {1000, 1000, 4343};
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).stream = true;
  Submit(request);
  chats_.Submit(kOther, kSuccessor, request);
  chats_.CallerGone(kCaller.pid);
  Settle();
  EXPECT_TRUE(runner_.cancelled.empty());
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody(kOther)["content"], "hi");
  EXPECT_TRUE(socket_.sent[kPeer].empty()) << "nobody is there";

  Submit(Ask("b", "hello"));
  chats_.Submit(kOther, kSuccessor, Ask("b", "hello"));
  chats_.CallerGone(kCaller.pid);
  chats_.CallerGone(kSuccessor.pid);
  EXPECT_FALSE(chats_.idle()) << "its answer is on its way, and is kept for a successor";
}

TEST_F(ChatServiceTest, TurnsHeldBackAreBoundedAsThoseThatWaitForCapacity) {
  const auto most = static_cast<std::size_t>(catalog_->config().settings.max_waiting);
  Submit(Ask("first", "hello", "talk"));
  for (std::size_t i = 0; i < most; ++i) {
    chats_.Submit(kPeer, kCaller, Ask(std::to_string(i), "more", "talk"));
  }
  EXPECT_EQ(chats_.waiting_count(), most);
  EXPECT_TRUE(socket_.sent[kPeer].empty());
  Submit(Ask("one too many", "more", "talk"), kOther);
  EXPECT_EQ(LastError(kOther), ipc::ErrorType::kOverloaded);
  EXPECT_EQ(chats_.waiting_count(), most);
  End(0, Answered("hi"));
  Submit(Ask("later", "more", "talk"), kOther);
  EXPECT_EQ(RepliesTo(kOther).size(), 1u) << "there is room again";
}

TEST_F(ChatServiceTest, SendersOfOneRequestAreBounded) {
  Submit(Ask("a", "hello"));
  for (int i = 1; i < 1'000; ++i) chats_.Submit(kOther, kCaller, Ask("a", "hello"));
  EXPECT_TRUE(socket_.sent[kOther].empty());
  Submit(Ask("a", "hello"), kOther);
  EXPECT_EQ(LastError(kOther), ipc::ErrorType::kOverloaded);
  const auto trace = chats_.FindTrace(1000, "a");
  ASSERT_TRUE(trace);
  EXPECT_LE(trace->timeline.size(), 1'010u);
}

TEST_F(ChatServiceTest, RequestsThatAreRefusedWhileStorageFailsAreNotKeptWithoutEnd) {
  store_.failing = true;
  for (int i = 0; i < 1'100; ++i) {
    Submit(Ask(std::to_string(i), "hello", "talk"));
    ASSERT_EQ(LastError(), ipc::ErrorType::kStorageUnavailable);
    socket_.sent.clear();
  }
  EXPECT_EQ(chats_.unwritten_count(), 1'000u);
  EXPECT_EQ(chats_.uncounted(), 100u);
}

TEST_F(ChatServiceTest, TheEndOfAnAttemptThatTheDatabaseRefusesIsWrittenWhenItWorksAgain) {
  Submit(Ask("a", "hello"));
  const std::int64_t first = runner_.sent[0].id;
  store_.failing = true;
  End(0, Refused(503, ""));
  EXPECT_EQ(runner_.sent.size(), 2u) << "tried again with the other key";
  EXPECT_EQ(chats_.unwritten_count(), 1u);
  store_.failing = false;
  Wait(milliseconds(250));
  EXPECT_EQ(chats_.unwritten_count(), 0u);
  const auto stored = store_.StoredOf<std::shared_ptr<const storage::Finish>>();
  ASSERT_EQ(stored.size(), 1u);
  EXPECT_EQ(stored[0]->attempt->attempt_id, first);
}

TEST_F(ChatServiceTest, TheUsageOfACancelledRequestThatTheDatabaseRefusesIsWrittenLater) {
  Submit(Ask("a", "hello"));
  store_.failing = true;
  chats_.Cancel(kCaller.uid, "a");
  Settle();
  EXPECT_EQ(chats_.unwritten_count(), 1u);
  upstream::Outcome cut = Answered("half");
  cut.transport = upstream::Transport::kCancelled;
  End(0, cut);
  EXPECT_EQ(chats_.unwritten_count(), 3u) << "the request, its lost tokens, its attempt";
  store_.failing = false;
  for (int i = 0; i < 3; ++i) Wait(milliseconds(250));
  EXPECT_EQ(chats_.unwritten_count(), 0u);
  std::int64_t tokens = 0;
  for (const auto& finish : store_.StoredOf<std::shared_ptr<const storage::Finish>>()) {
    for (const storage::Usage& usage : finish->usage) tokens += usage.input_tokens;
  }
  EXPECT_EQ(tokens, 10);
}

TEST_F(ChatServiceTest, WhoNamesAKeyWaitsUntilTheUserDatabaseSaysThatItMay) {
  user_.in_admin_group = true;
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).key_id = "k2";
  const uid_t another = geteuid() + 1;
  chats_.Submit(kPeer, {another, another, 4242}, request);
  Submit(Ask("b", "hello"));
  EXPECT_EQ(runner_.sent.size(), 1u) << "others do not wait for it";
  AnswerLookUps();
  EXPECT_EQ(runner_.sent.size(), 2u);
}

TEST_F(ChatServiceTest, ARequestShowsItsUsersNameOnceItIsKnown) {
  user_.name = "ada";
  Submit(Ask("a", "hello"));
  EXPECT_THAT(chats_.FindTrace(1000, "a")->caller, HasSubstr("uid 1000 pid"));
  AnswerLookUps();
  EXPECT_THAT(chats_.FindTrace(1000, "a")->caller, HasSubstr("uid 1000 (ada) pid"));
}

TEST_F(ChatServiceTest, AStreamThatTheSafetyFilterCutsIsInterruptedAndDoesNotSaySafety) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).stream = true;
  Submit(request);
  chats_.OnDelta(runner_.sent[0].id, {"half", "", std::nullopt});
  upstream::Outcome cut = Answered("");
  cut.streamed = cut.answer->blocked = true;
  End(0, cut);
  const ipc::Reply reply = RepliesTo(kPeer).back();
  const ipc::Error& error = std::get<ipc::Error>(reply.outcome);
  EXPECT_EQ(error.type, ipc::ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(error.details["interrupted"], true);
  EXPECT_THAT(error.message, Not(HasSubstr("safety")));
}

class BudgetTest : public ChatServiceTest {
 protected:
  // A budget of 1 USD a day; a million tokens in and out cost as much, of the dear model ten times.
  BudgetTest() {
    config::Config config = catalog_->config();
    config::CallerRule rule;
    rule.uid = kCaller.uid;
    rule.usd_per_day = 1;
    config.callers = {rule};
    config.keys[0].models.push_back({"dear", {}});
    config.models["flash"].input_usd_per_mtok = config.models["flash"].output_usd_per_mtok = 1;
    config.models["dear"].input_usd_per_mtok = config.models["dear"].output_usd_per_mtok = 10;
    catalog_ = std::make_shared<const Catalog>(std::move(config), catalog_->secrets());
    dispatcher_.Configure(catalog_->ToPolicy(clock_), clock_.Steady());
    chats_.SetCatalog(catalog_);
  }
  // Expects 60,000 tokens of output.
  void SubmitLong(const std::string& id, const std::string& model) {
    ipc::Request request = Ask(id, "hello");
    auto& chat = std::get<ipc::ChatRequest>(request.body);
    chat.model_preference = model;
    chat.expected_completion_tokens = chat.max_output_tokens = 60'000;
    Submit(request);
  }
};

TEST_F(BudgetTest, ABurstThatNamesNoModelIsHeldAtThePriceOfTheDearest) {
  SubmitLong("a", "");
  EXPECT_EQ(runner_.sent.size(), 1u);
  SubmitLong("b", "");
  ASSERT_EQ(runner_.sent.size(), 1u) << "1.20 USD together";
  EXPECT_EQ(LastError(), ipc::ErrorType::kRateLimited);
}

TEST_F(BudgetTest, ABurstThatNamesAModelIsHeldAtItsPrice) {
  SubmitLong("a", "flash");
  SubmitLong("b", "flash");
  EXPECT_EQ(runner_.sent.size(), 2u);
}

TEST_F(BudgetTest, WhatTheLastDaemonCountedTodayIsSpent) {
  storage::UsageRow row;
  row.uid = kCaller.uid;
  row.cost_nano_usd = 1'000'000'000;
  store_.usage = {row};
  bool is_known = false;
  chats_.Restore({}, [&](const auto& read) { is_known = read.has_value(); });
  Settle();
  EXPECT_TRUE(is_known);
  SubmitLong("a", "flash");
  EXPECT_EQ(LastError(), ipc::ErrorType::kRateLimited);
}

TEST_F(BudgetTest, WhereTodaysUsageCannotBeReadItIsSaid) {
  store_.failing = true;
  std::string why;
  chats_.Restore({}, [&](const auto& read) { why = read.error().message; });
  Settle();
  EXPECT_EQ(why, "the disk is full");
}

TEST_F(ChatServiceTest, WhileDrainingNewRequestsAreRefusedAndOldOnesAnswered) {
  Submit(Ask("a", "hello"));
  chats_.Drain();
  Submit(Ask("b", "hello"), kOther);
  EXPECT_EQ(LastError(kOther), ipc::ErrorType::kShuttingDown);
  End(0, Answered("hi"));
  EXPECT_EQ(LastBody()["content"], "hi");
  EXPECT_TRUE(chats_.idle());
}

TEST_F(ChatServiceTest, ASlowReaderPausesItsStreamAndResumesWhenItHasRead) {
  ipc::Request request = Ask("a", "hello");
  std::get<ipc::ChatRequest>(request.body).stream = true;
  Submit(request);
  socket_.Let(kPeer, ipc::SendStatus::kFull);
  chats_.OnDelta(runner_.sent[0].id, {std::string(Outbox::kPauseBytes + 1, 'x'), "", std::nullopt});
  EXPECT_EQ(runner_.paused.size(), 1u);
  socket_.Let(kPeer, ipc::SendStatus::kSent);
  outbox_.Flush([this] { chats_.OnDrained(); });
  EXPECT_EQ(runner_.resumed.size(), 1u);
}

TEST_F(ChatServiceTest, ARequestThatIsOverCanBeExplained) {
  Submit(Ask("a", "hello"));
  End(0, Answered("hi"));
  const auto trace = chats_.FindTrace(1000, "a");
  ASSERT_TRUE(trace);
  EXPECT_EQ(trace->state, "answered");
  ASSERT_EQ(trace->attempts.size(), 1u);
  EXPECT_EQ(trace->attempts[0].key_id, "k1");
  EXPECT_EQ(trace->attempts[0].outcome, "ok");
  EXPECT_EQ(trace->considered.All().size(), 2u);
}

TEST_F(ChatServiceTest, ABlockedPromptIsToldWithTheProvidersRatings) {
  Submit(Ask("a", "bad"));
  upstream::Outcome blocked = Answered("");
  blocked.answer->blocked = true;
  blocked.answer->safety_ratings = ipc::Value{{{"category", "HARM"}, {"blocked", true}}};
  End(0, blocked);
  const ipc::Reply reply = RepliesTo(kPeer).back();
  const ipc::Error& error = std::get<ipc::Error>(reply.outcome);
  EXPECT_EQ(error.type, ipc::ErrorType::kContentBlocked);
  EXPECT_EQ(error.details["ratings"], blocked.answer->safety_ratings);
}

TEST_F(ChatServiceTest, TokensOfAnAnswerThatNobodyGetsAreCounted) {
  Submit(Ask("a", "hello"));
  chats_.Cancel(kCaller.uid, "a");
  Settle();
  upstream::Outcome cut = Answered("half");
  cut.transport = upstream::Transport::kCancelled;
  End(0, cut);
  std::int64_t requests = 0, tokens = 0;
  for (const auto& finish : store_.WritesOf<std::shared_ptr<const storage::Finish>>()) {
    for (const storage::Usage& usage : finish->usage) {
      requests += usage.requests;
      tokens += usage.input_tokens + usage.output_tokens;
    }
  }
  EXPECT_EQ(requests, 1);
  EXPECT_EQ(tokens, 15);
  EXPECT_TRUE(chats_.idle());
}

}  // namespace
}  // namespace requestrouter::router
