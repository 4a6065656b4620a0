#include "daemon/router/errors.h"

#include <gtest/gtest.h>

#include "daemon/faults/faults.h"

namespace requestrouter::router {
namespace {

using ipc::ErrorType;
using policy::Fault;
using policy::FaultKind;
using policy::Refusal;
using policy::RefusalReason;

Refusal Refused(RefusalReason reason, std::string message = "why") {
  Refusal refusal;
  refusal.reason = reason;
  refusal.message = std::move(message);
  return refusal;
}

Refusal Faulted(FaultKind kind, std::string message = "the provider's words") {
  Refusal refusal = Refused(RefusalReason::kFault, message);
  refusal.fault = Fault{kind, "reason", "source", message, std::nullopt, 0};
  return refusal;
}

TEST(Errors, EveryRefusalHasTheTypeThatTellsTheCallerWhatToDo) {
  EXPECT_EQ(ToError(Refused(RefusalReason::kNoSuchModel)).type, ErrorType::kNotFound);
  EXPECT_EQ(ToError(Refused(RefusalReason::kNoKeys)).type, ErrorType::kUpstreamAuth);
  EXPECT_EQ(ToError(Refused(RefusalReason::kTooLarge)).type, ErrorType::kPayloadTooLarge);
  EXPECT_EQ(ToError(Refused(RefusalReason::kNoCapacity)).type, ErrorType::kAllKeysExhausted);
  EXPECT_EQ(ToError(Refused(RefusalReason::kCallerLimit)).type, ErrorType::kRateLimited);
  EXPECT_EQ(ToError(Refused(RefusalReason::kQueueFull)).type, ErrorType::kOverloaded);
}

TEST(Errors, EveryFaultHasTheTypeThatTellsTheCallerWhatToDo) {
  EXPECT_EQ(ToError(Faulted(FaultKind::kRequest)).type, ErrorType::kUpstreamRejected);
  EXPECT_EQ(ToError(Faulted(FaultKind::kContent)).type, ErrorType::kContentBlocked);
  EXPECT_EQ(ToError(Faulted(FaultKind::kModel)).type, ErrorType::kNotFound);
  EXPECT_EQ(ToError(Faulted(FaultKind::kKeyInvalid)).type, ErrorType::kUpstreamAuth);
  EXPECT_EQ(ToError(Faulted(FaultKind::kBilling)).type, ErrorType::kUpstreamAuth);
  EXPECT_EQ(ToError(Faulted(FaultKind::kMinuteQuota)).type, ErrorType::kAllKeysExhausted);
  EXPECT_EQ(ToError(Faulted(FaultKind::kDayQuota)).type, ErrorType::kAllKeysExhausted);
  EXPECT_EQ(ToError(Faulted(FaultKind::kProvider)).type, ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(ToError(Faulted(FaultKind::kNetwork)).type, ErrorType::kUpstreamUnavailable);
}

TEST(Errors, WaitingInVainIsExhaustionAndOnlyAPassedDeadlineIsCalledThat) {
  Refusal refusal = Refused(RefusalReason::kExpired);
  EXPECT_EQ(ToError(refusal).type, ErrorType::kAllKeysExhausted);
  refusal.past_deadline = true;
  EXPECT_EQ(ToError(refusal).type, ErrorType::kDeadlineExceeded);
}

TEST(Errors, WhoHasHadAPartOfAnAnswerIsToldThatItWasInterruptedWhateverTheFault) {
  const ipc::Error error = ToError(Faulted(FaultKind::kContent, "blocked for safety"), true);
  EXPECT_EQ(error.type, ErrorType::kUpstreamUnavailable);
  EXPECT_EQ(error.message, "blocked for content-policy");
  EXPECT_EQ(error.details, (ipc::Value{{"interrupted", true}}));
}

TEST(Errors, APromptThatCannotBeExpressedIsTheRequestsFault) {
  upstream::Outcome outcome;
  outcome.transport = upstream::Transport::kRefusedLocally;
  outcome.error_message = "no images";
  const Fault fault = faults::FaultOf(outcome, 0);
  EXPECT_EQ(fault.kind, FaultKind::kRequest);
  EXPECT_EQ(fault.message, "no images");
}

TEST(Errors, OnlyBlockedContentSaysTheWordSafety) {
  EXPECT_NE(ToError(Faulted(FaultKind::kContent)).message.find("safety"), std::string::npos);
  const ipc::Error other = ToError(Faulted(FaultKind::kRequest, "bad Safety_settings: SAFETY"));
  EXPECT_EQ(other.message, "bad content-policy_settings: content-policy");
}

TEST(Errors, TheTimeToComeBackIsRoundedUp) {
  Refusal refusal = Refused(RefusalReason::kNoCapacity);
  refusal.retry_after = std::chrono::microseconds(1'500'001);
  EXPECT_EQ(ToError(refusal).retry_after_ms, 1'501);
}

TEST(Errors, ARequestThatCanNeverFitNamesTheLimit) {
  Refusal refusal = Refused(RefusalReason::kTooLarge);
  refusal.limit = "tpm";
  EXPECT_EQ(ToError(refusal).details["limit"], "tpm");
}

TEST(Errors, AProvidersKeyInAMessageIsNotPassedOn) {
  const ipc::Error error =
      ToError(Faulted(FaultKind::kKeyInvalid, "bad key AIzaSyA1234567890abcdefghijklmnopqrstuv"));
  EXPECT_EQ(error.message.find("AIzaSyA1234567890"), std::string::npos) << error.message;
}

TEST(Errors, ABlockWithoutContentIsEvidenceOfOneAndAfterContentIsNot) {
  upstream::Outcome outcome;
  outcome.answer.emplace();
  outcome.answer->blocked = true;
  EXPECT_TRUE(faults::ToEvidence(outcome, 0).blocked);
  outcome.answer->content = "some";
  EXPECT_FALSE(faults::ToEvidence(outcome, 0).blocked);
}

}  // namespace
}  // namespace requestrouter::router
