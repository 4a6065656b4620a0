#include "client_lib/src/request_table.h"

#include <gtest/gtest.h>

#include "client_lib/src/errors.h"

namespace requestrouter::client {
namespace {

using ipc::Value;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

struct Recorder final : Observer {
  bool OnEvent(const Value& body) noexcept override {
    events.push_back(body);
    return !stop;
  }
  void OnDone(Result<Value> result) noexcept override { outcomes.push_back(std::move(result)); }

  // The error it ended with, or nothing.
  std::optional<ErrorType> error() const {
    if (outcomes.size() != 1 || outcomes[0].ok()) return std::nullopt;
    return outcomes[0].error().type;
  }
  bool open() const { return outcomes.empty(); }

  bool stop = false;
  std::vector<Value> events;
  std::vector<Result<Value>> outcomes;
};

class RequestTableTest : public ::testing::Test {
 protected:
  std::shared_ptr<Recorder> Add(const std::string& id, TimePoint now = kStart,
                                milliseconds deadline = seconds(60), bool resend = true) {
    auto recorder = std::make_shared<Recorder>();
    PendingRequest request;
    request.id = id;
    request.encode = [id](std::int64_t left) { return id + " " + std::to_string(left); };
    request.started = now;
    request.deadline = now + deadline;
    request.resend = resend;
    request.observer = recorder;
    table_.Add(std::move(request));
    return recorder;
  }

  void SendAll(TimePoint now) {
    for (const auto& id : table_.Sendable(now)) table_.MarkSent(id);
  }
  void Answer(const std::string& id, Value body, bool final = true, TimePoint now = kStart) {
    table_.OnReply({id, final, std::move(body)}, now);
  }
  void Refuse(const std::string& id, ipc::ErrorType type, TimePoint now = kStart) {
    table_.OnReply({id, true, ipc::Error{type, "refused", {}, Value(), {}}}, now);
  }
  static Value Delta(int seq, const std::string& text) {
    return {{"seq", seq}, {"delta", {{"text", text}}}};
  }

  RequestTable table_{
      {seconds(2), seconds(30), [] { return MakeError(ErrorType::kNoDaemon, "nothing there"); }}};
};

using Ids = std::vector<std::string>;

TEST_F(RequestTableTest, NothingIsSentBeforeTheDaemonGreeted) {
  Add("a");
  EXPECT_EQ(table_.Sendable(kStart), Ids{});
  table_.OnConnecting();
  EXPECT_EQ(table_.Sendable(kStart), Ids{});
  table_.OnConnected();
  EXPECT_EQ(table_.Sendable(kStart), Ids{"a"});
}

TEST_F(RequestTableTest, RequestsAreSentOnceInTheOrderTheyCame) {
  table_.OnConnected();
  Add("b");
  Add("a");
  Add("c");
  EXPECT_EQ(table_.Sendable(kStart), (Ids{"b", "a", "c"}));
  SendAll(kStart);
  EXPECT_EQ(table_.Sendable(kStart), Ids{});
}

TEST_F(RequestTableTest, AnAnswerCompletesItsRequestAndNoOther) {
  table_.OnConnected();
  const auto a = Add("a");
  const auto b = Add("b");
  SendAll(kStart);
  Answer("b", {{"x", 1}});
  EXPECT_TRUE(a->open());
  ASSERT_EQ(b->outcomes.size(), 1u);
  EXPECT_EQ(b->outcomes[0].value(), (Value{{"x", 1}}));
  Answer("b", {{"x", 2}});
  EXPECT_EQ(b->outcomes.size(), 1u);
}

TEST_F(RequestTableTest, AnIdInFlightIsNotTakenTwice) {
  Add("a");
  EXPECT_EQ(Add("a")->error(), ErrorType::kRequestIdConflict);
}

TEST_F(RequestTableTest, WithoutADaemonARequestEndsWhenTheConnectTimeoutDoes) {
  const auto a = Add("a");
  EXPECT_EQ(table_.NextExpiry(), kStart + seconds(2));
  table_.Expire(kStart + seconds(2) - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(kStart + seconds(2));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ADaemonThatIsStartingIsGivenTheTimeOfARestart) {
  const auto a = Add("a");
  table_.OnConnecting();
  table_.Expire(kStart + seconds(30) - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(kStart + seconds(30));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ADeadlineBeforeTheConnectTimeoutStillSaysThatThereIsNoDaemon) {
  const auto a = Add("a", kStart, milliseconds(100));
  table_.Expire(kStart + milliseconds(100));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, TheDaemonIsGivenAGraceToReportTheDeadlineItself) {
  table_.OnConnected();
  const auto a = Add("a", kStart, seconds(1));
  SendAll(kStart);
  table_.Expire(kStart + seconds(1) + RequestTable::kDeadlineGrace - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(kStart + seconds(1) + RequestTable::kDeadlineGrace);
  EXPECT_EQ(a->error(), ErrorType::kDeadlineExceeded);
}

TEST_F(RequestTableTest, AfterARestartUnansweredRequestsAreSentAgainWithTheDeadlineThatIsLeft) {
  table_.OnConnected();
  Add("a");
  EXPECT_EQ(table_.Encode("a", kStart), "a 60000");
  SendAll(kStart);
  table_.OnDisconnected(kStart + seconds(10));
  EXPECT_EQ(table_.Sendable(kStart + seconds(10)), Ids{});
  table_.OnConnected();
  EXPECT_EQ(table_.Sendable(kStart + seconds(15)), Ids{"a"});
  EXPECT_EQ(table_.Encode("a", kStart + seconds(15)), "a 45000");
}

TEST_F(RequestTableTest, ADaemonThatDoesNotComeBackInTimeIsReported) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  table_.OnDisconnected(kStart + seconds(10));
  table_.Expire(kStart + seconds(40) - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(kStart + seconds(40));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ACallDuringARestartWaitsForItToo) {
  table_.OnConnected();
  table_.OnDisconnected(kStart);
  const auto a = Add("a", kStart + seconds(1));
  table_.Expire(kStart + seconds(30) - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(kStart + seconds(30));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ALongOutageCostsANewCallOnlyTheConnectTimeout) {
  table_.OnConnected();
  table_.OnDisconnected(kStart);
  const TimePoint later = kStart + std::chrono::hours(1);
  const auto a = Add("a", later);
  table_.Expire(later + seconds(2) - milliseconds(1));
  EXPECT_TRUE(a->open());
  table_.Expire(later + seconds(2));
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, AStreamThatHasBegunEndsInterruptedWithWhatCame) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Answer("a", Delta(0, "Hel"), false);
  Answer("a", Delta(1, "lo"), false);
  table_.OnDisconnected(kStart + seconds(1));
  ASSERT_EQ(a->error(), ErrorType::kUpstreamUnavailable);
  const Error& error = a->outcomes[0].error();
  EXPECT_EQ(error.partial_content, "Hello");
  EXPECT_EQ(error.details_json, R"({"interrupted":true})");
  EXPECT_EQ(error.request_id, "a");
  table_.OnConnected();
  EXPECT_EQ(table_.Sendable(kStart + seconds(1)), Ids{});
}

TEST_F(RequestTableTest, ProgressAloneIsNoBegunStream) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Answer("a", {{"seq", 0}, {"progress", {{"state", "waiting"}}}}, false);
  table_.OnDisconnected(kStart + seconds(1));
  EXPECT_TRUE(a->open());
  table_.OnConnected();
  SendAll(kStart + seconds(1));
  Answer("a", Delta(0, "Hello"), false);
  EXPECT_EQ(a->events.size(), 2u);
}

TEST_F(RequestTableTest, DeltasThatComeTwiceAreDeliveredOnce) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  for (int seq : {0, 1, 0, 1, 2}) Answer("a", Delta(seq, std::to_string(seq)), false);
  ASSERT_EQ(a->events.size(), 3u);
  EXPECT_EQ(a->events[2], Delta(2, "2"));
}

TEST_F(RequestTableTest, ARequestThatIsNotToBeResentFailsWithItsDaemon) {
  table_.OnConnected();
  const auto a = Add("a", kStart, seconds(60), /*resend=*/false);
  SendAll(kStart);
  table_.OnDisconnected(kStart);
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ARequestThatSeesTheDaemonGoTooOftenIsGivenUp) {
  const auto a = Add("a");
  for (int i = 0; i < RequestTable::kMaxLosses; ++i) {
    EXPECT_TRUE(a->open());
    table_.OnConnected();
    SendAll(kStart);
    table_.OnDisconnected(kStart);
  }
  EXPECT_EQ(a->error(), ErrorType::kNoDaemon);
}

TEST_F(RequestTableTest, ADrainingDaemonIsAskedAgainAfterAPause) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Refuse("a", ipc::ErrorType::kShuttingDown);
  EXPECT_TRUE(a->open());
  const TimePoint again = kStart + RequestTable::kDrainPause;
  EXPECT_EQ(table_.Sendable(again - milliseconds(1)), Ids{});
  EXPECT_EQ(table_.NextExpiry(), again);
  EXPECT_EQ(table_.Sendable(again), Ids{"a"});
}

TEST_F(RequestTableTest, AfterADrainTheNextDaemonIsAskedOnceThePauseIsOver) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Refuse("a", ipc::ErrorType::kShuttingDown);
  const TimePoint again = kStart + RequestTable::kDrainPause;
  table_.OnDisconnected(kStart);
  table_.OnConnecting();
  table_.OnConnected();
  EXPECT_EQ(table_.Sendable(again - milliseconds(1)), Ids{});
  EXPECT_EQ(table_.NextExpiry(), again);
  EXPECT_EQ(table_.Sendable(again), Ids{"a"});
}

TEST_F(RequestTableTest, AStreamThatADrainCutsEndsInterruptedWithWhatCame) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Answer("a", Delta(0, "Hel"), /*final=*/false);
  Refuse("a", ipc::ErrorType::kShuttingDown);
  ASSERT_EQ(a->error(), ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(a->outcomes[0].error().details_json, R"({"interrupted":true})");
  EXPECT_EQ(a->outcomes[0].error().partial_content, "Hel");
}

TEST_F(RequestTableTest, ALongDrainIsNotTakenForADaemonThatTheRequestEnds) {
  table_.OnConnected();
  const auto a = Add("a");
  TimePoint now = kStart;
  for (int i = 0; i < 2 * RequestTable::kMaxLosses; ++i, now += RequestTable::kDrainPause) {
    SendAll(now);
    Refuse("a", ipc::ErrorType::kShuttingDown, now);
  }
  SendAll(now);
  table_.OnDisconnected(now);
  table_.OnConnected();
  EXPECT_EQ(table_.Sendable(now), Ids{"a"});
}

TEST_F(RequestTableTest, ADrainingDaemonIsReportedWhereNothingIsToBeResent) {
  table_.OnConnected();
  const auto a = Add("a", kStart, seconds(60), /*resend=*/false);
  SendAll(kStart);
  Refuse("a", ipc::ErrorType::kShuttingDown);
  EXPECT_EQ(a->error(), ErrorType::kShuttingDown);
}

TEST_F(RequestTableTest, OtherErrorsAreTheCallers) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  Refuse("a", ipc::ErrorType::kAllKeysExhausted);
  EXPECT_EQ(a->error(), ErrorType::kAllKeysExhausted);
}

TEST_F(RequestTableTest, AReceiverThatWantsNoMoreCancelsItsRequest) {
  table_.OnConnected();
  const auto a = Add("a");
  a->stop = true;
  SendAll(kStart);
  Answer("a", Delta(0, "Hel"), false);
  EXPECT_EQ(a->error(), ErrorType::kCancelled);
  EXPECT_EQ(a->outcomes[0].error().partial_content, "Hel");
  EXPECT_EQ(table_.TakeAbandoned(), Ids{"a"});
  EXPECT_EQ(table_.TakeAbandoned(), Ids{});
}

TEST_F(RequestTableTest, OnlyWhatTheDaemonHasIsCancelledThere) {
  table_.OnConnected();
  const auto sent = Add("sent");
  SendAll(kStart);
  const auto unsent = Add("unsent");
  EXPECT_TRUE(table_.Abandon("sent"));
  EXPECT_FALSE(table_.Abandon("unsent"));
  EXPECT_FALSE(table_.Abandon("unknown"));
  EXPECT_EQ(sent->error(), ErrorType::kCancelled);
  EXPECT_EQ(unsent->error(), ErrorType::kCancelled);
}

TEST_F(RequestTableTest, ACancellationOfWhatTheDaemonDoesNotHaveIsServedHere) {
  const auto a = Add("a");
  PendingRequest cancel;
  const auto asked = std::make_shared<Recorder>();
  cancel.id = "c";
  cancel.cancels = "a";
  cancel.observer = asked;
  table_.Add(std::move(cancel));
  EXPECT_EQ(a->error(), ErrorType::kCancelled);
  ASSERT_EQ(asked->outcomes.size(), 1u);
  EXPECT_EQ(asked->outcomes[0].value(), (Value{{"cancelled", true}}));
  EXPECT_TRUE(table_.empty());
}

TEST_F(RequestTableTest, ACancelledRequestIsNotSentToTheNextDaemon) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  PendingRequest cancel;
  cancel.id = "c";
  cancel.cancels = "a";
  cancel.started = kStart;
  cancel.deadline = kStart + seconds(5);
  cancel.observer = std::make_shared<Recorder>();
  table_.Add(std::move(cancel));
  EXPECT_TRUE(a->open());
  table_.OnDisconnected(kStart);
  EXPECT_EQ(a->error(), ErrorType::kCancelled);
}

TEST_F(RequestTableTest, ClosingCompletesEverything) {
  table_.OnConnected();
  const auto a = Add("a");
  SendAll(kStart);
  const auto b = Add("b");
  table_.FailAll(MakeError(ErrorType::kClientClosed, "closed"));
  EXPECT_EQ(a->error(), ErrorType::kClientClosed);
  EXPECT_EQ(b->error(), ErrorType::kClientClosed);
  EXPECT_TRUE(table_.empty());
}

}  // namespace
}  // namespace requestrouter::client
