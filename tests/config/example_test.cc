#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/config/config.h"

// The files that existing deployments have, as they are.
namespace requestrouter::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kGolden = REPO_ROOT "/tests/golden/config/";

Loaded LoadExample(const Environment& environment) {
  auto loaded = Load(kGolden + "keys.json", environment);
  for (const Problem& problem : loaded ? std::vector<Problem>() : loaded.error()) {
    ADD_FAILURE() << ToString(problem);
  }
  return loaded ? std::move(*loaded) : Loaded();
}

TEST(Example, LoadsWithoutAWord) { EXPECT_THAT(LoadExample({}).warnings, IsEmpty()); }

TEST(Example, HasTheThreeKeysInOrder) {
  const Loaded loaded = LoadExample({});
  const auto& keys = loaded.config.keys;
  ASSERT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys[0].key_id, "gemini-flash-01");
  EXPECT_EQ(keys[1].key_id, "gemini-flash-02");
  EXPECT_EQ(keys[2].key_id, "gemini-pro-01");
  EXPECT_EQ(keys[0].line, 3);
}

TEST(Example, AKeyHasItsModelAndLimits) {
  const Loaded loaded = LoadExample({});
  const Key& key = loaded.config.keys.at(2);
  ASSERT_EQ(key.models.size(), 1u);
  const ModelOfKey& model = key.models[0];
  EXPECT_EQ(key.provider, "gemini");
  EXPECT_EQ(key.quota_group, "gemini-pro-01");
  EXPECT_TRUE(key.active);
  EXPECT_EQ(model.name, "gemini-2.5-pro");
  EXPECT_EQ(model.limits.rpm->amount, 5);
  EXPECT_EQ(model.limits.rpm->window, seconds(60));
  EXPECT_EQ(model.limits.tpm->amount, 100'000);
  EXPECT_EQ(*model.limits.rpd, 50);
  EXPECT_FALSE(model.limits.itpm || model.limits.otpm || model.limits.tpd);
  EXPECT_EQ(model.limits.counts, policy::Counts::kInput);
}

TEST(Example, PrioritiesAreNumbersOrWords) {
  const Loaded loaded = LoadExample({});
  EXPECT_EQ(loaded.config.keys.at(0).priority, 1);
  EXPECT_EQ(loaded.config.keys.at(1).priority, 2);  // medium
  EXPECT_EQ(loaded.config.keys.at(2).priority, 1);  // high
  EXPECT_EQ(loaded.config.keys.at(0).tier, policy::Tier::kLight);
  EXPECT_EQ(loaded.config.keys.at(2).tier, policy::Tier::kHeavy);
}

TEST(Example, SettingsAreTheFilesAndTheRestHasDefaults) {
  const Settings settings = LoadExample({}).config.settings;
  EXPECT_EQ(settings.max_retries, 3);
  EXPECT_EQ(settings.base_backoff, milliseconds(500));
  EXPECT_EQ(settings.max_backoff, milliseconds(30'000));
  EXPECT_TRUE(settings.enable_fallback);
  EXPECT_EQ(settings.conversation_ttl, seconds(86'400));
  EXPECT_EQ(settings.max_waiting, 10'000);
  EXPECT_EQ(settings.drain, milliseconds(30'000));
  EXPECT_TRUE(settings.durability_full);
  EXPECT_THAT(settings.workload_models.at("medium"),
              ElementsAre("gemini-1.5-flash", "gemini-2.0-flash"));
  EXPECT_FALSE(settings.user_limit);
  EXPECT_FALSE(settings.host_limit);
  EXPECT_EQ(settings.secret_store, "env");
}

TEST(Example, TheDotenvFileLoadsWithoutAWord) {
  const auto dotenv = ReadDotenv(kGolden + "dotenv");
  ASSERT_TRUE(dotenv);
  EXPECT_THAT(dotenv->warnings, IsEmpty());
  EXPECT_EQ(dotenv->values.at("API_KEY_gemini-flash-01"), "test-secret-flash-01");
  EXPECT_EQ(dotenv->values.at("API_KEY_gemini_flash_02"), "test-secret-flash-02");
  EXPECT_EQ(dotenv->values.at("API_KEY_GEMINI_PRO_01"), "test-secret-pro-01");
  EXPECT_EQ(dotenv->values.size(), 13u);
}

TEST(Example, TheDotenvFilesLimitsHold) {
  const auto dotenv = ReadDotenv(kGolden + "dotenv");
  ASSERT_TRUE(dotenv);
  const Settings settings = LoadExample(dotenv->values).config.settings;
  ASSERT_TRUE(settings.user_limit && settings.host_limit);
  EXPECT_EQ(settings.user_limit->per_minute, 10);
  EXPECT_EQ(settings.user_limit->burst, 20);
  EXPECT_EQ(settings.host_limit->per_minute, 1000);
  EXPECT_EQ(settings.host_limit->burst, 2000);
  EXPECT_EQ(settings.log_level, "info");
}

}  // namespace
}  // namespace requestrouter::config
