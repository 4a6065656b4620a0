#include "daemon/changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace requestrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

config::Key KeyNamed(const std::string& key_id) {
  config::Key key;
  key.key_id = key_id;
  key.provider = "gemini";
  key.quota_group = key_id;
  key.models.push_back({"m", {}});
  return key;
}

config::Config WithKeys(const std::vector<std::string>& key_ids) {
  config::Config config;
  for (const std::string& key_id : key_ids) config.keys.push_back(KeyNamed(key_id));
  return config;
}

TEST(Changes, OfTheSameAreNone) {
  config::Config moved = WithKeys({"b", "a"});
  moved.keys[0].line = 7;  // where it stands in the file is no change
  EXPECT_THAT(Changes(WithKeys({"a", "b"}), moved), IsEmpty());
}

TEST(Changes, NameKeysThatCameWentAndAreOther) {
  config::Config after = WithKeys({"b", "c", "d"});
  after.keys[0].models[0].limits.rpm = policy::Limit{5};
  after.keys[2].secret.value = "other";
  EXPECT_THAT(Changes(WithKeys({"a", "b", "d"}), after),
              ElementsAre("key b changed", "key c added", "key d changed", "key a removed"));
}

TEST(Changes, NameEverythingElseThatIsOther) {
  config::Config before, after;
  before.providers["local"].http.base_url = "http://127.0.0.1:1/v1";
  after.providers["local"].http.base_url = "http://127.0.0.1:2/v1";
  after.models["m"].context_tokens = 1'000;
  before.agent_weights["planner"] = 2;
  after.callers.push_back(
      {.uid = 7, .gid = {}, .models = {}, .tokens_per_day = {}, .usd_per_day = {}, .weight = 2});
  after.settings.max_retries = 9;
  after.settings.user_limit = config::Bucket{5, 5};
  after.settings.log_json = true;
  after.settings.metrics_listen = "127.0.0.1:1";
  EXPECT_THAT(Changes(before, after),
              ElementsAre("provider local changed", "model m added", "agent planner removed",
                          "callers changed", "config.max_retries changed",
                          "config.user_rpm_default or user_burst_default changed",
                          "config.log_format changed", "config.metrics_listen changed"));
}

TEST(Changes, OfSettingsThatAStartReadsWaitForARestart) {
  config::Settings at_start, now;
  now.max_retries = 9;
  EXPECT_THAT(WaitingForARestart(at_start, now), IsEmpty());
  now.durability_full = false;
  now.max_nesting = 64;
  now.metrics_listen = "127.0.0.1:1";
  EXPECT_THAT(WaitingForARestart(at_start, now),
              ElementsAre("config.durability is read at a start only: restart routerd for the new "
                          "value to hold",
                          "config.max_nesting is read at a start only: restart routerd for the new "
                          "value to hold",
                          "config.metrics_listen is read at a start only: restart routerd for the "
                          "new value to hold"));
}

}  // namespace
}  // namespace requestrouter
