#include "daemon/ops/meters.h"

#include <gtest/gtest.h>
#include <prometheus/text_serializer.h>

#include <optional>

namespace requestrouter::ops {
namespace {

using policy::FaultKind;
using policy::Instant;
using policy::KeyStateName;
using std::chrono::milliseconds;
using std::chrono::seconds;

const Instant kNow{std::chrono::hours(1)};

std::shared_ptr<const router::Catalog> OneKey(std::optional<double> price = std::nullopt) {
  config::Config config;
  config::Key key;
  key.key_id = "k1";
  key.provider = "gemini";
  key.quota_group = "k1";
  key.models.push_back({"flash", {}});
  config.keys = {key};
  config.providers["gemini"].http.name = "gemini";
  config.models["flash"].input_usd_per_mtok = price;
  config.models["flash"].output_usd_per_mtok = price;
  return std::make_shared<const router::Catalog>(std::move(config), router::Catalog::Secrets());
}

class MetersTest : public ::testing::Test {
 protected:
  MetersTest() {
    meters_.Configure(OneKey(1), 5'000);
    live_.grant.emplace();
    live_.grant->key_id = "k1";
    live_.grant->model = "flash";
  }

  // The value of the series as it is written, such as `requests_total{outcome="ok"}`.
  std::string Value(const std::string& series) const {
    const std::string text = "\n" + prometheus::TextSerializer().Serialize(meters_.Collect());
    const std::string begin = "\nrequestrouter_" + series + " ";
    const std::size_t at = text.find(begin);
    if (at == text.npos) return "none";
    const std::size_t value = at + begin.size();
    return text.substr(value, text.find('\n', value) - value);
  }

  void AttemptEnds(FaultKind kind, std::vector<policy::LimitKind> spent = {}) {
    policy::Report report;
    report.fault.kind = kind;
    report.spent = std::move(spent);
    meters_.AttemptEnded(live_, {}, report);
  }

  static policy::KeyStatus Cooling(Instant until, std::string model = "") {
    policy::KeyStatus status;
    status.key_id = "k1";
    const policy::Cooldown cooldown{until, "429", "default", 1};
    if (model.empty()) {
      status.state = KeyStateName::kCooling;
      status.cooldown = cooldown;
    } else {
      status.model_cooldowns.push_back({std::move(model), KeyStateName::kCooling, cooldown});
    }
    return status;
  }

  Meters meters_;
  router::LiveRequest live_;
};

TEST_F(MetersTest, SeriesOfConfiguredKeysAreThereBeforeTheirFirstEvent) {
  EXPECT_EQ(Value(R"(requests_total{outcome="ok"})"), "0");
  EXPECT_EQ(Value(R"(requests_total{outcome="all_keys_exhausted"})"), "0");
  EXPECT_EQ(Value(R"(upstream_attempts_total{key="k1",model="flash",outcome="network"})"), "0");
  EXPECT_EQ(Value(R"(upstream_rate_limited_total{key="k1",model="flash",quota="day"})"), "0");
  EXPECT_EQ(Value(R"(cost_usd_total{key="k1",model="flash"})"), "0");
  EXPECT_EQ(Value("config_last_reload_success_timestamp_seconds"), "5");
}

TEST_F(MetersTest, AnAttemptCountsByWhoseFaultItWas) {
  AttemptEnds(FaultKind::kNone);
  AttemptEnds(FaultKind::kProvider);
  AttemptEnds(FaultKind::kProvider);
  policy::Report cancelled;
  cancelled.conclusive = false;
  meters_.AttemptEnded(live_, {}, cancelled);
  EXPECT_EQ(Value(R"(upstream_attempts_total{key="k1",model="flash",outcome="ok"})"), "1");
  EXPECT_EQ(Value(R"(upstream_attempts_total{key="k1",model="flash",outcome="provider"})"), "2");
  EXPECT_EQ(Value(R"(upstream_attempts_total{key="k1",model="flash",outcome="cancelled"})"), "1");
}

TEST_F(MetersTest, ARefusalForQuotaCountsByTheLimitThatTheProviderNamed) {
  AttemptEnds(FaultKind::kMinuteQuota);
  AttemptEnds(FaultKind::kMinuteQuota, {policy::LimitKind::kTpm});
  AttemptEnds(FaultKind::kDayQuota);
  for (const char* quota : {"minute", "tpm", "day"}) {
    EXPECT_EQ(Value(R"(upstream_rate_limited_total{key="k1",model="flash",quota=")" +
                    std::string(quota) + "\"}"),
              "1");
  }
}

TEST_F(MetersTest, TokensCountOnceEachAndCostWhatTheyCost) {
  upstream::Outcome outcome;
  outcome.answer.emplace();
  outcome.answer->tokens = {.input = 1'000'000,
                            .output = 500'000,
                            .total = 1'500'000,
                            .cached = 250'000,
                            .reasoning = 100'000};
  meters_.AttemptEnded(live_, outcome, {});
  EXPECT_EQ(Value(R"(tokens_total{key="k1",kind="input",model="flash"})"), "750000");
  EXPECT_EQ(Value(R"(tokens_total{key="k1",kind="cached_input",model="flash"})"), "250000");
  EXPECT_EQ(Value(R"(tokens_total{key="k1",kind="output",model="flash"})"), "400000");
  EXPECT_EQ(Value(R"(tokens_total{key="k1",kind="reasoning",model="flash"})"), "100000");
  EXPECT_EQ(Value(R"(cost_usd_total{key="k1",model="flash"})"), "1.5");
}

TEST_F(MetersTest, AKeyThatAReloadTookAwayIsCountedToItsEnd) {
  live_.grant->key_id = "gone";
  AttemptEnds(FaultKind::kNone);
  EXPECT_EQ(Value(R"(upstream_attempts_total{key="gone",model="flash",outcome="ok"})"), "1");
}

TEST_F(MetersTest, ACooldownCountsOnceHoweverOftenItIsReported) {
  for (int i = 0; i < 3; ++i) meters_.KeyChanged(Cooling(kNow), FaultKind::kNetwork);
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="",reason="network"})"), "1");
  meters_.KeyChanged(Cooling(kNow + seconds(1)), FaultKind::kNetwork);
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="",reason="network"})"), "2");
}

TEST_F(MetersTest, ACooldownOfAModelIsNotTheKeysAsWell) {
  policy::KeyStatus status = Cooling(kNow, "flash");
  status.state = KeyStateName::kCooling;  // its only model
  status.cooldown = status.model_cooldowns[0].cooldown;
  meters_.KeyChanged(status, FaultKind::kMinuteQuota);
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="flash",reason="minute_quota"})"), "1");
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="",reason="minute_quota"})"), "none");
}

TEST_F(MetersTest, ADisabledKeyCountsEachTimeButNotWhereAnOperatorDidIt) {
  policy::KeyStatus disabled = Cooling(policy::kNever);
  disabled.state = KeyStateName::kDisabled;
  meters_.KeyChanged(disabled, FaultKind::kKeyInvalid);
  policy::KeyStatus ready;
  ready.key_id = "k1";
  meters_.KeyChanged(ready, FaultKind::kNone);
  meters_.KeyChanged(disabled, FaultKind::kKeyInvalid);
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="",reason="key_invalid"})"), "2");
  disabled.disabled_by_operator = true;
  disabled.cooldown->until = kNow;
  meters_.KeyChanged(disabled, FaultKind::kNone);
  EXPECT_EQ(Value(R"(cooldowns_total{key="k1",model="",reason="ok"})"), "none");
}

TEST_F(MetersTest, AProvidersCooldownIsNotAKeys) {
  policy::KeyStatus status = Cooling(kNow);
  status.key_id = "provider/gemini";
  meters_.KeyChanged(status, FaultKind::kProvider);
  EXPECT_EQ(Value(R"(provider_cooldowns_total{provider="gemini",reason="provider"})"), "1");
}

TEST_F(MetersTest, TheOverheadIsWhatNeitherWaitingNorTheProviderTook) {
  live_.received = kNow;
  live_.begun = kNow + seconds(100);  // held back by an earlier turn of its conversation
  live_.waiting_since = live_.begun;
  live_.waited = seconds(10);
  live_.at_provider = seconds(3);
  live_.chat.conv_id = "talk";
  const ipc::ChatReply reply;
  meters_.Ended(live_, {&reply, nullptr, live_.begun + seconds(13) + milliseconds(5)});
  EXPECT_EQ(Value(R"(overhead_seconds_sum{stored="true"})"), "0.005");
  EXPECT_EQ(Value(R"(overhead_seconds_bucket{stored="true",le="0.0025"})"), "0");
  EXPECT_EQ(Value(R"(overhead_seconds_bucket{stored="true",le="0.005"})"), "1");
  EXPECT_EQ(Value(R"(overhead_seconds_count{stored="false"})"), "0");
  EXPECT_EQ(Value("wait_seconds_sum"), "10");
  EXPECT_EQ(Value("request_duration_seconds_sum"), "113.005");
  EXPECT_EQ(Value(R"(requests_total{outcome="ok"})"), "1");
}

TEST_F(MetersTest, OneThatRanOutOfTimeInTheQueueWaitedUntilThen) {
  const ipc::Error error = ipc::MakeError(ipc::ErrorType::kDeadlineExceeded, "");
  live_.received = live_.begun = live_.waiting_since = kNow;
  live_.stage = router::Stage::kWaiting;
  meters_.Ended(live_, {nullptr, &error, kNow + seconds(20)});
  EXPECT_EQ(Value("wait_seconds_sum"), "20");
  EXPECT_EQ(Value(R"(requests_total{outcome="deadline_exceeded"})"), "1");
  EXPECT_EQ(Value(R"(overhead_seconds_count{stored="false"})"), "0");
}

TEST_F(MetersTest, OneThatNeverReachedTheQueueDidNotWait) {
  const ipc::Error error = ipc::MakeError(ipc::ErrorType::kNotFound, "");
  live_.received = live_.begun = kNow;
  meters_.Ended(live_, {nullptr, &error, kNow});
  EXPECT_EQ(Value("wait_seconds_count"), "0");
}

TEST_F(MetersTest, CommitsAreMeasuredAndFailedOnesCounted) {
  meters_.Committed({milliseconds(2), 7, true});
  meters_.Committed({milliseconds(2), 3, false});
  EXPECT_EQ(Value("storage_commit_seconds_count"), "2");
  EXPECT_EQ(Value("storage_writes_total"), "7");
  EXPECT_EQ(Value("storage_failed_commits_total"), "1");
}

}  // namespace
}  // namespace requestrouter::ops
