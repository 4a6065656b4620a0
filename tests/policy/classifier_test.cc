#include "daemon/policy/classifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What an attempt's end is taken for, whichever provider it came from; their own words are in
// tests/faults.
namespace requestrouter::policy {
namespace {

Evidence Answer(int status, std::string code = "", std::string message = "") {
  Evidence evidence;
  evidence.status = status;
  evidence.readable = !code.empty() || !message.empty();
  evidence.code = std::move(code);
  evidence.message = std::move(message);
  return evidence;
}

Evidence Ended(TransportResult transport, Evidence evidence = {}) {
  evidence.transport = transport;
  return evidence;
}

TEST(Classifier, EveryKindHasItsName) {
  const char* const names[] = {"ok",      "request",      "content",   "model",    "key_invalid",
                               "billing", "minute_quota", "day_quota", "provider", "network"};
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    EXPECT_STREQ(Name(static_cast<FaultKind>(i)), names[i]);
  }
}

TEST(Classifier, AnAnswerBelow300WithoutAnErrorIsNoFault) {
  EXPECT_EQ(Classify(Answer(200)).kind, FaultKind::kNone);
  EXPECT_EQ(Classify(Answer(299)).kind, FaultKind::kNone);
  EXPECT_EQ(Classify(Answer(300)).kind, FaultKind::kProvider);
  EXPECT_EQ(Classify(Answer(200, "server_error")).kind, FaultKind::kProvider);
  EXPECT_EQ(Classify(Answer(200)).reason, "");
}

TEST(Classifier, ABlockedAnswerIsTheContentsFaultWhateverItsStatus) {
  Evidence blocked = Answer(200);
  blocked.blocked = true;
  EXPECT_EQ(Classify(blocked).kind, FaultKind::kContent);
  EXPECT_EQ(Classify(blocked).reason, "blocked");
  EXPECT_EQ(Classify(Answer(400, "content_filter")).kind, FaultKind::kContent);
  EXPECT_EQ(Classify(Answer(400, "content_filter")).reason, "400 content_filter");
}

TEST(Classifier, WhatNeverArrivedOrBrokeOffIsTheNetworksFault) {
  const Fault not_sent = Classify(Ended(TransportResult::kNotSent));
  EXPECT_EQ(not_sent.kind, FaultKind::kNetwork);
  EXPECT_EQ(not_sent.reason, "not reachable");
  EXPECT_EQ(not_sent.message, "not reachable");
  const Fault timeout = Classify(Ended(TransportResult::kTimeout, Answer(0, "", "15 s are over")));
  EXPECT_EQ(timeout.kind, FaultKind::kNetwork);
  EXPECT_EQ(timeout.reason, "time-out");
  EXPECT_EQ(timeout.message, "15 s are over");
  const Fault lost = Classify(Ended(TransportResult::kInterrupted, Answer(200)));
  EXPECT_EQ(lost.kind, FaultKind::kNetwork);
  EXPECT_EQ(lost.reason, "connection lost");
}

TEST(Classifier, AnAnswerThatNobodyCanReadIsTheProvidersFault) {
  const Fault unreadable = Classify(Ended(TransportResult::kUnreadable, Answer(200)));
  EXPECT_EQ(unreadable.kind, FaultKind::kProvider);
  EXPECT_EQ(unreadable.reason, "unreadable answer");
}

TEST(Classifier, AnErrorThatCouldBeReadCountsThoughTheAnswerBrokeOff) {
  for (const auto transport : {TransportResult::kInterrupted, TransportResult::kUnreadable}) {
    const Fault fault = Classify(Ended(transport, Answer(401, "invalid_api_key")));
    EXPECT_EQ(fault.kind, FaultKind::kKeyInvalid);
    EXPECT_EQ(fault.reason, "401 invalid_api_key");
  }
}

TEST(Classifier, AStatusThatIsInTheErrorsCodeCountsWhereItIsOneOfAFailure) {
  EXPECT_EQ(Classify(Answer(200, "429")).kind, FaultKind::kMinuteQuota);
  EXPECT_EQ(Classify(Answer(200, "400")).kind, FaultKind::kRequest);
  EXPECT_EQ(Classify(Answer(500, "429")).kind, FaultKind::kProvider) << "it has one of its own";
  for (const char* code : {"399", "600", "429x", "x429", "99999999999"}) {
    EXPECT_EQ(Classify(Answer(200, code)).kind, FaultKind::kProvider) << code;
  }
}

TEST(Classifier, ADelayInWordsIsBelievedOfAQuotaOnly) {
  const std::string words = "busy, try again in 20s";
  EXPECT_EQ(Classify(Answer(429, "", words)).retry_after, std::chrono::seconds(20));
  EXPECT_EQ(Classify(Answer(429, "", words)).source, "error message");
  EXPECT_EQ(Classify(Answer(503, "", words)).retry_after, std::nullopt);
  EXPECT_EQ(Classify(Answer(503, "", words)).source, "status");
}

TEST(Remaining, IsReadFromTheHeadersOfEitherKind) {
  const RemainingQuota openai = ReadRemaining(
      {{"x-ratelimit-remaining-requests", "7"}, {"x-ratelimit-remaining-tokens", "0"}});
  EXPECT_EQ(openai.requests, 7);
  EXPECT_EQ(openai.tokens, 0);
  EXPECT_EQ(openai.input_tokens, std::nullopt);
  const RemainingQuota anthropic =
      ReadRemaining({{"anthropic-ratelimit-requests-remaining", "3"},
                     {"anthropic-ratelimit-input-tokens-remaining", "40"},
                     {"anthropic-ratelimit-output-tokens-remaining", "50"}});
  EXPECT_EQ(anthropic.requests, 3);
  EXPECT_EQ(anthropic.tokens, std::nullopt);
  EXPECT_EQ(anthropic.input_tokens, 40);
  EXPECT_EQ(anthropic.output_tokens, 50);
}

TEST(Remaining, ThatIsNoCountIsNotRead) {
  for (const char* text : {"", "x", "7x", "7.5", "-1", "99999999999999999999"}) {
    EXPECT_EQ(ReadRemaining({{"x-ratelimit-remaining-requests", text}}).requests, std::nullopt)
        << text;
  }
}

}  // namespace
}  // namespace requestrouter::policy
