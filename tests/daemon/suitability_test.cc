#include "daemon/router/suitability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace requestrouter::router {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Key KeyFor(const std::string& provider, const std::string& model) {
  config::Key key;
  key.key_id = provider + "-" + model;
  key.provider = provider;
  key.models.push_back({model, {}});
  return key;
}

// gemini and claude can do everything, as far as is known; old can read and write.
class SuitabilityTest : public ::testing::Test {
 protected:
  SuitabilityTest() {
    config_.providers["gemini"].http.kind = upstream::ProviderKind::kGemini;
    config_.providers["anthropic"].http.kind = upstream::ProviderKind::kAnthropic;
    config_.keys = {KeyFor("gemini", "gemini-2.5-pro"), KeyFor("anthropic", "claude-sonnet-4-5"),
                    KeyFor("gemini", "old")};
    config_.models["old"].capabilities = std::vector<std::string>{"streaming"};
    prompt_.messages.push_back(ipc::TextMessage(ipc::Role::kUser, "Hi"));
  }

  ipc::Result<std::vector<std::string>> Suitable(bool fallback = true) const {
    return SuitableModels(Catalog(config_, {}), prompt_, fallback);
  }

  config::Config config_;
  upstream::Prompt prompt_;
};

TEST_F(SuitabilityTest, EveryModelTakesPlainText) { EXPECT_THAT(*Suitable(), IsEmpty()); }

TEST_F(SuitabilityTest, ThoseThatLackACapabilityAreLeftOut) {
  prompt_.options.tools.push_back({"f", "", ipc::Value()});
  EXPECT_THAT(*Suitable(), ElementsAre("gemini-2.5-pro", "claude-sonnet-4-5"));
}

TEST_F(SuitabilityTest, ThoseWhoseProviderCannotBeAskedAreLeftOut) {
  prompt_.options.response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  EXPECT_THAT(*Suitable(), ElementsAre("gemini-2.5-pro"));
}

TEST_F(SuitabilityTest, WhatTheHistoryHoldsCountsToo) {
  ipc::Message call = ipc::TextMessage(ipc::Role::kAssistant, "");
  call.tool_calls.push_back({"c1", "f", "{}", ipc::Value()});
  ipc::Message result = ipc::TextMessage(ipc::Role::kTool, "done");
  result.tool_call_id = "c1";
  prompt_.messages.insert(prompt_.messages.end(), {call, result});
  EXPECT_THAT(*Suitable(), ElementsAre("gemini-2.5-pro", "claude-sonnet-4-5"));
}

TEST_F(SuitabilityTest, TheWantedModelMustBeSuitableWhereNoneMayStandIn) {
  prompt_.options.model_preference = "old";
  prompt_.options.reasoning = ipc::Reasoning{ipc::Effort::kLow, {}};
  EXPECT_THAT(*Suitable(), ElementsAre("gemini-2.5-pro", "claude-sonnet-4-5"));
  const auto refused = Suitable(false);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().type, ipc::ErrorType::kInvalidRequest);
  EXPECT_THAT(refused.error().message, HasSubstr("old cannot be asked this: it lacks reasoning"));
}

TEST_F(SuitabilityTest, WhereNoModelIsSuitableTheFieldIsNamed) {
  config_.keys.erase(config_.keys.begin());
  prompt_.options.response_format.kind = ipc::ResponseFormat::Kind::kJsonObject;
  const auto refused = Suitable();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("response_format"));
}

TEST_F(SuitabilityTest, ModelsWithTooShortAContextStandInOnlyWhereNoOtherCan) {
  prompt_.messages.push_back(ipc::TextMessage(ipc::Role::kUser, std::string(40'000, 'x')));
  config_.models["old"].context_tokens = 8'000;
  EXPECT_THAT(*Suitable(), ElementsAre("gemini-2.5-pro", "claude-sonnet-4-5"));
  config_.models["gemini-2.5-pro"].context_tokens = 9'000;
  config_.models["claude-sonnet-4-5"].context_tokens = 10'000;
  EXPECT_THAT(*Suitable(), IsEmpty());
}

TEST(Catalog, TrimsHistoryToTheModelAskedForOrElseToTheLargest) {
  config::Config config;
  config.providers["gemini"] = {};
  config.keys = {KeyFor("gemini", "small"), KeyFor("gemini", "large")};
  config.models["small"].context_tokens = 8'000;
  EXPECT_EQ(Catalog(config, {}).ContextFor(""), std::nullopt);
  config.models["large"].context_tokens = 100'000;
  const Catalog catalog(config, {});
  EXPECT_EQ(catalog.ContextFor("small"), 8'000);
  EXPECT_EQ(catalog.ContextFor(""), 100'000);
  EXPECT_EQ(catalog.ContextFor("nobody's"), 100'000);
}

}  // namespace
}  // namespace requestrouter::router
