#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/config/load_support.h"

// What files, blocks and variables that are right mean.
namespace requestrouter::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

Config Good(const std::string& text, const Environment& environment = {}) {
  Result result = LoadText(text, environment);
  EXPECT_TRUE(result.ok) << text;
  EXPECT_THAT(result.lines, IsEmpty()) << text;
  return std::move(result.config);
}

policy::LimitSet LimitsOf(const Config& config, const std::string& model) {
  for (const ModelOfKey& one : config.keys.at(0).models) {
    if (one.name == model) return one.limits;
  }
  ADD_FAILURE() << model;
  return {};
}

TEST(Keys, WithoutLimitsAreUnlimited) {
  const policy::LimitSet limits = LimitsOf(Good(KeyWith("\"_\": 0")), "m");
  EXPECT_FALSE(limits.rpm || limits.tpm || limits.itpm || limits.otpm || limits.rpd || limits.tpd ||
               limits.max_in_flight);
}

TEST(Keys, MayServeSeveralModelsEachWithItsLimits) {
  const Config config =
      Good(KeyWith("\"rpm\": 1, \"models\": [\"n\", {\"name\": \"o\", \"rpm\": 7, \"itpm\": 8, "
                   "\"otpm\": 9, \"tpd\": 10, \"max_in_flight\": 2}]"));
  EXPECT_EQ(LimitsOf(config, "m").rpm->amount, 1);
  EXPECT_FALSE(LimitsOf(config, "n").rpm);  // the key's limits are those of model_name
  const policy::LimitSet own = LimitsOf(config, "o");
  EXPECT_EQ(own.rpm->amount, 7);
  EXPECT_EQ(own.itpm->amount, 8);
  EXPECT_EQ(own.otpm->amount, 9);
  EXPECT_EQ(own.tpd, 10);
  EXPECT_EQ(own.max_in_flight, 2);
}

TEST(Keys, WithoutModelNameTheirLimitsHoldForEveryModelThatHasNone) {
  const Config config = Good(
      "{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"rpm\": 5, \"rpd\": 9,"
      "\"models\": [\"n\", {\"name\": \"o\", \"rpm\": 7}]}]}");
  EXPECT_EQ(LimitsOf(config, "n").rpm->amount, 5);
  EXPECT_EQ(LimitsOf(config, "o").rpm->amount, 7);
  EXPECT_EQ(LimitsOf(config, "o").rpd, 9);
}

TEST(Keys, AWindowHoldsForAllLimitsOfAMinute) {
  const policy::LimitSet limits =
      LimitsOf(Good(KeyWith("\"rpm\": 5, \"tpm\": 6, \"rpd\": 7, \"window_seconds\": 10")), "m");
  EXPECT_EQ(limits.rpm->window, seconds(10));
  EXPECT_EQ(limits.tpm->window, seconds(10));
  EXPECT_EQ(limits.rpd, 7);
}

TEST(Keys, TheLargestLimitsAreFine) {
  const policy::LimitSet limits =
      LimitsOf(Good(KeyWith("\"rpm\": 1000000000, \"tpm\": 1000000000000")), "m");
  EXPECT_EQ(limits.rpm->amount, 1'000'000'000);
  EXPECT_EQ(limits.tpm->amount, 1'000'000'000'000);
}

TEST(Keys, OfOneQuotaGroupMayAgree) {
  const Config config = Good(
      "{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"quota_group\": \"project\","
      "\"model_name\": \"m\", \"rpm\": 5},"
      "{\"key_id\": \"b\", \"provider\": \"gemini\", \"quota_group\": \"project\","
      "\"models\": [{\"name\": \"m\", \"rpm\": 5}, {\"name\": \"n\", \"rpm\": 6}]}]}");
  EXPECT_EQ(config.keys.at(0).quota_group, "project");
  EXPECT_EQ(config.keys.at(1).quota_group, "project");
}

TEST(Keys, PrioritiesMayBeAnyWholeNumber) {
  EXPECT_EQ(Good(KeyWith("\"tags\": {\"priority\": -3}")).keys.at(0).priority, -3);
  EXPECT_EQ(Good(KeyWith("\"tags\": {\"priority\": \"LOW\"}")).keys.at(0).priority, 3);
  EXPECT_EQ(Good(KeyWith("\"tags\": {}")).keys.at(0).priority, 2);
}

TEST(KeySecrets, HaveEverySourceInTwoForms) {
  using Kind = SecretSource::Kind;
  const struct {
    const char* json;
    Kind kind;
    const char* value;
  } rows[] = {
      {"\"env:A\"", Kind::kEnvironment, "A"},
      {"\"env\"", Kind::kEnvironment, ""},
      {"{\"env\": \"A\"}", Kind::kEnvironment, "A"},
      {"\"file:/a\"", Kind::kFile, "/a"},
      {"{\"file\": \"/a\"}", Kind::kFile, "/a"},
      {"\"credential:c\"", Kind::kCredential, "c"},
      {"{\"credential\": \"c\"}", Kind::kCredential, "c"},
      {"\"vault:secret/a#b\"", Kind::kVault, "secret/a#b"},
      {"{\"vault\": \"secret/a\"}", Kind::kVault, "secret/a"},
      {"\"command:pass show a:b\"", Kind::kCommand, "pass show a:b"},
      {"{\"command\": \"pass show a\"}", Kind::kCommand, "pass show a"},
  };
  for (const auto& row : rows) {
    const Config config = Good(KeyWith("\"secret\": " + std::string(row.json)));
    EXPECT_EQ(config.keys.at(0).secret.kind, row.kind) << row.json;
    EXPECT_EQ(config.keys.at(0).secret.value, row.value) << row.json;
  }
}

TEST(KeySecrets, ARelativeFileIsBesideTheConfiguration) {
  const support::TempDir directory;
  const auto path = directory.Write("keys.json", KeyWith("\"secret\": \"file:secrets/a\""));
  const auto loaded = Load(path, {});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.keys.at(0).secret.value, directory.path() + "/secrets/a");
}

TEST(KeySecrets, AKeyThatDoesNotSayHasTheStoresKind) {
  using Kind = SecretSource::Kind;
  const auto kind = [](const std::string& store) {
    return Good(KeyWith("\"_\": 0"), {{"SECRET_STORE_TYPE", store}}).keys.at(0).secret.kind;
  };
  EXPECT_EQ(kind(""), Kind::kEnvironment);
  EXPECT_EQ(kind("env"), Kind::kEnvironment);
  EXPECT_EQ(kind("vault"), Kind::kVault);
  EXPECT_EQ(kind("file"), Kind::kFile);
  EXPECT_EQ(kind("credential"), Kind::kCredential);
}

TEST(Providers, CountAsTheirKindDoes) {
  const auto config = Good(KeyWith("\"rpm\": 1"));
  const Provider& gemini = config.providers.at("gemini");
  EXPECT_EQ(gemini.http.kind, upstream::ProviderKind::kGemini);
  EXPECT_EQ(gemini.counts, policy::Counts::kInput);
  EXPECT_EQ(gemini.day_reset, DayReset::kPacificMidnight);
  EXPECT_EQ(config.providers.at("openai").counts, policy::Counts::kInputAndMaxOutput);
  EXPECT_TRUE(config.providers.at("openai").cached_counts);
  EXPECT_FALSE(config.providers.at("anthropic").cached_counts);
  EXPECT_EQ(config.providers.at("groq").http.base_url, "https://api.groq.com/openai/v1");
}

TEST(Providers, TheirRulesReachTheLimitsOfTheirKeys) {
  const Config config = Good(
      "{\"keys\": [{\"key_id\": \"a\", \"provider\": \"local\", \"model_name\": \"m\", \"tpm\": "
      "5}],"
      "\"config\": {\"window_guard_ms\": 7},"
      "\"providers\": {\"local\": {\"kind\": \"openai\", \"base_url\": \"http://127.0.0.1:1/v1/\","
      "\"counts\": \"input+output\", \"cached_counts\": false, \"burst\": \"smooth\","
      "\"rpd_reset\": \"rolling_24h\", \"headers\": {\"X-Title\": \"t\"},"
      "\"connect_timeout_ms\": 1, \"first_token_timeout_ms\": 2, \"idle_timeout_ms\": 3, "
      "\"total_timeout_ms\": 4}}}");
  const policy::LimitSet limits = LimitsOf(config, "m");
  EXPECT_EQ(limits.counts, policy::Counts::kInputAndOutput);
  EXPECT_FALSE(limits.cached_counts);
  EXPECT_EQ(limits.burst, policy::Burst::kSmooth);
  EXPECT_EQ(limits.guard, milliseconds(7));
  const Provider& provider = config.providers.at("local");
  EXPECT_EQ(provider.day_reset, DayReset::kRolling24h);
  EXPECT_EQ(provider.http.name, "local");
  EXPECT_EQ(provider.http.base_url, "http://127.0.0.1:1/v1");
  EXPECT_THAT(provider.http.headers, ElementsAre(Pair("X-Title", "t")));
  EXPECT_EQ(provider.http.connect_timeout, milliseconds(1));
  EXPECT_EQ(provider.http.first_token_timeout, milliseconds(2));
  EXPECT_EQ(provider.http.total_timeout, milliseconds(4));
  EXPECT_EQ(provider.http.idle_timeout, milliseconds(3));
}

TEST(Providers, ABuiltInOneKeepsWhatIsNotChanged) {
  const Config config =
      Good(FileWith("\"providers\": {\"gemini\": {\"base_url\": \"http://127.0.0.1:1//\"}}"));
  const Provider& gemini = config.providers.at("gemini");
  EXPECT_EQ(gemini.http.base_url, "http://127.0.0.1:1");
  EXPECT_EQ(gemini.http.kind, upstream::ProviderKind::kGemini);
  EXPECT_EQ(gemini.day_reset, DayReset::kPacificMidnight);
}

TEST(Models, HaveContextPricesAndCapabilities) {
  const Config config = Good(FileWith(
      "\"models\": {\"m\": {\"context_tokens\": 1000, \"input_usd_per_mtok\": 0.5,"
      "\"output_usd_per_mtok\": 2, \"cached_usd_per_mtok\": 0, \"capabilities\": [\"tools\"]},"
      "\"n\": {}}"));
  const Model& model = config.models.at("m");
  EXPECT_EQ(model.context_tokens, 1000);
  EXPECT_EQ(model.input_usd_per_mtok, 0.5);
  EXPECT_EQ(model.output_usd_per_mtok, 2.0);
  EXPECT_EQ(model.cached_usd_per_mtok, 0.0);
  EXPECT_THAT(*model.capabilities, ElementsAre("tools"));
  EXPECT_FALSE(config.models.at("n").capabilities);
}

TEST(Settings, EveryOneCanBeSet) {
  const Settings s =
      Good(ConfigWith("\"max_retries\": 0, \"base_backoff_ms\": 1, \"max_backoff_ms\": 2,"
                      "\"enable_fallback\": false, \"fallback_saves_ms\": 3,"
                      "\"conversation_ttl_seconds\": 4, \"max_waiting\": 5, \"drain_ms\": 6,"
                      "\"result_ttl_seconds\": 7, \"max_results\": 8, \"durability\": \"process\","
                      "\"max_payload_bytes\": 4096, \"max_nesting\": 8, \"history_tokens\": 11,"
                      "\"auto_medium_tokens\": 12, \"auto_heavy_tokens\": 13,"
                      "\"user_rpm_default\": 14, \"global_rpm_max\": 15, \"global_burst_max\": 16,"
                      "\"admin_group\": \"root\", \"log_level\": \"WARN\","
                      "\"log_format\": \"JSON\", \"log_file\": \"/l\", \"log_file_bytes\": 4096,"
                      "\"log_files\": 18, \"metrics_listen\": \"localhost:9\","
                      "\"secret_store\": \"command\", \"secret_command\": \"pass $KEY_ID\","
                      "\"secret_directory\": \"/s\", \"secret_timeout_ms\": 17,"
                      "\"window_guard_ms\": 0, \"workload_model_mapping\": {\"light\": [\"m\"]}"))
          .settings;
  EXPECT_EQ(s.max_retries, 0);
  EXPECT_EQ(s.base_backoff, milliseconds(1));
  EXPECT_EQ(s.max_backoff, milliseconds(2));
  EXPECT_FALSE(s.enable_fallback);
  EXPECT_EQ(s.fallback_saves, milliseconds(3));
  EXPECT_EQ(s.conversation_ttl, seconds(4));
  EXPECT_EQ(s.max_waiting, 5);
  EXPECT_EQ(s.drain, milliseconds(6));
  EXPECT_EQ(s.result_ttl, seconds(7));
  EXPECT_EQ(s.max_results, 8);
  EXPECT_FALSE(s.durability_full);
  EXPECT_EQ(s.max_payload_bytes, 4096);
  EXPECT_EQ(s.max_nesting, 8);
  EXPECT_EQ(s.history_tokens, 11);
  EXPECT_EQ(s.auto_medium_tokens, 12);
  EXPECT_EQ(s.auto_heavy_tokens, 13);
  EXPECT_EQ(s.user_limit->per_minute, 14);
  EXPECT_EQ(s.user_limit->burst, 14);  // a minute's worth
  EXPECT_EQ(s.host_limit->burst, 16);
  EXPECT_EQ(s.admin_group, "root");
  EXPECT_EQ(s.log_level, "warning");
  EXPECT_TRUE(s.log_json);
  EXPECT_EQ(s.log_file, "/l");
  EXPECT_EQ(s.log_file_bytes, 4096);
  EXPECT_EQ(s.log_files, 18);
  EXPECT_EQ(s.metrics_listen, "127.0.0.1:9");
  EXPECT_EQ(s.secret_store, "command");
  EXPECT_EQ(s.secret_command, "pass $KEY_ID");
  EXPECT_EQ(s.secret_directory, "/s");
  EXPECT_EQ(s.secret_timeout, milliseconds(17));
  EXPECT_EQ(s.window_guard, milliseconds(0));
  EXPECT_THAT(s.workload_models.at("light"), ElementsAre("m"));
}

TEST(Settings, ARateOfZeroIsNoLimit) {
  EXPECT_FALSE(Good(ConfigWith("\"user_rpm_default\": 0")).settings.user_limit);
  EXPECT_FALSE(
      Good(ConfigWith("\"global_rpm_max\": 5"), {{"GLOBAL_RPM_MAX", "0"}}).settings.host_limit);
}

TEST(Variables, WinOverTheFile) {
  const Config config = Good(
      FileWith("\"providers\": {\"my-llm\": {\"kind\": \"openai\", \"base_url\": "
               "\"https://file.example/v1\"}}, \"config\": {\"max_retries\": 1, "
               "\"log_level\": \"error\", \"user_rpm_default\": 3, \"user_burst_default\": 4}"),
      {{"LLM_MAX_RETRIES", "2"},
       {"LLM_BASE_BACKOFF_MS", "100"},
       {"CONVERSATION_TTL_SECONDS", "60"},
       {"USER_RPM_DEFAULT", "5"},
       {"LOG_LEVEL", "DEBUG"},
       {"LOG_FORMAT", "json"},
       {"ROUTERD_GEMINI_BASE_URL", "http://127.0.0.1:8081/"},
       {"ROUTERD_MY_LLM_BASE_URL", "https://env.example/v1"}});
  EXPECT_EQ(config.settings.max_retries, 2);
  EXPECT_EQ(config.settings.base_backoff, milliseconds(100));
  EXPECT_EQ(config.settings.conversation_ttl, seconds(60));
  EXPECT_EQ(config.settings.user_limit->per_minute, 5);
  EXPECT_EQ(config.settings.user_limit->burst, 4);
  EXPECT_EQ(config.settings.log_level, "debug");
  EXPECT_TRUE(config.settings.log_json);
  EXPECT_EQ(config.providers.at("gemini").http.base_url, "http://127.0.0.1:8081");
  EXPECT_EQ(config.providers.at("my-llm").http.base_url, "https://env.example/v1");
}

TEST(Variables, ThatAreEmptyCountAsAbsent) {
  const Settings settings =
      Good(ConfigWith("\"max_retries\": 1"), {{"LLM_MAX_RETRIES", ""}, {"REDIS_URL", ""}}).settings;
  EXPECT_EQ(settings.max_retries, 1);
}

TEST(Variables, MistakesInThemNameTheVariable) {
  const std::string aws =
      "is not built in; use \"command\" with a program that prints the secret, "
      "for example \"secret_command\": \"";
  const std::vector<std::pair<Environment, std::string>> rows = {
      {{{"LLM_MAX_RETRIES", "three"}},
       "LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \"three\""},
      {{{"LLM_MAX_RETRIES", "-1"}},
       "LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \"-1\""},
      {{{"LLM_MAX_RETRIES", "3 "}},
       "LLM_MAX_RETRIES: must be a whole number from 0 to 100, is \"3 \""},
      {{{"LLM_MAX_RETRIES", "101"}}, "LLM_MAX_RETRIES: must be at most 100, is \"101\""},
      {{{"LLM_BASE_BACKOFF_MS", "0.5"}},
       "LLM_BASE_BACKOFF_MS: must be a positive whole number, is \"0.5\""},
      {{{"LLM_BASE_BACKOFF_MS", "60000"}},
       "LLM_BASE_BACKOFF_MS: base_backoff_ms (60000) is above max_backoff_ms (30000); lower one or "
       "raise the other"},
      {{{"CONVERSATION_TTL_SECONDS", "99999999999999999999"}},
       "CONVERSATION_TTL_SECONDS: must be at most 316224000, is \"99999999999999999999\""},
      {{{"USER_BURST_DEFAULT", "0"}},
       "USER_BURST_DEFAULT: must be a positive whole number, is \"0\""},
      {{{"LOG_LEVEL", "LOUD"}},
       "LOG_LEVEL: must be \"trace\", \"debug\", \"info\", \"warning\", \"error\", \"critical\" or "
       "\"off\", is \"LOUD\""},
      {{{"SECRET_STORE_TYPE", "AWS"}},
       "SECRET_STORE_TYPE: \"aws\" " + aws +
           "aws secretsmanager get-secret-value --secret-id $KEY_ID --query SecretString --output "
           "text\""},
      {{{"SECRET_STORE_TYPE", "azure"}},
       "SECRET_STORE_TYPE: \"azure\" " + aws +
           "az keyvault secret show --vault-name VAULT --name $KEY_ID --query value --output "
           "tsv\""},
      {{{"SECRET_STORE_TYPE", "hashicorp"}},
       "SECRET_STORE_TYPE: must be \"env\", \"file\", \"credential\", \"vault\" or \"command\", is "
       "\"hashicorp\""},
      {{{"SECRET_STORE_TYPE", "command"}},
       "SECRET_STORE_TYPE: \"command\" needs config.secret_command, a program that prints the "
       "secret of the key named by $KEY_ID"},
      {{{"ROUTERD_GEMINI_BASE_URL", "localhost:8080"}},
       "ROUTERD_GEMINI_BASE_URL: must begin with https:// or http://"},
  };
  for (const auto& [environment, line] : rows) {
    const Result result = LoadText(KeyWith("\"rpm\": 1"), environment);
    EXPECT_FALSE(result.ok) << line;
    EXPECT_THAT(result.lines, ElementsAre("environment: " + line));
  }
}

TEST(Variables, ThatAreDoubtfulWarn) {
  const Result redis = LoadText(KeyWith("\"rpm\": 1"), {{"REDIS_URL", "redis://x"}});
  EXPECT_TRUE(redis.ok);
  EXPECT_THAT(redis.lines, ElementsAre("environment: REDIS_URL: not needed any more: state is kept "
                                       "in SQLite; remove it"));
  const Result stray = LoadText(KeyWith("\"rpm\": 1"), {{"ROUTERD_GEMNI_BASE_URL", "x"}});
  EXPECT_TRUE(stray.ok);
  EXPECT_THAT(stray.lines, ElementsAre("environment: ROUTERD_GEMNI_BASE_URL: names no provider; "
                                       "did you mean \"ROUTERD_GEMINI_BASE_URL\"?"));
}

TEST(Variables, FromADotenvFileAreBlamedOnItsLine) {
  const support::TempDir directory;
  const auto keys = directory.Write("keys.json", KeyWith("\"rpm\": 1"));
  const auto dotenv = ReadDotenv(directory.Write(".env", "# first\nLLM_MAX_RETRIES=x\n"));
  ASSERT_TRUE(dotenv);
  const auto loaded = Load(keys, Merge(dotenv->values, {}), &*dotenv);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(Lines(loaded.error(), directory),
              ElementsAre(".env:2: LLM_MAX_RETRIES: must be a whole number from 0 to 100, is "
                          "\"x\""));
  const auto other = Load(keys, Merge(dotenv->values, {{"LLM_MAX_RETRIES", "y"}}), &*dotenv);
  ASSERT_FALSE(other);
  EXPECT_THAT(Lines(other.error(), directory),
              ElementsAre("environment: LLM_MAX_RETRIES: must be a whole number from 0 to 100, is "
                          "\"y\""));
}

TEST(Environments, TheProcessWinsOverTheDotenvFile) {
  EXPECT_THAT(Merge({{"A", "file"}, {"B", "file"}}, {{"A", "process"}, {"C", "process"}}),
              ElementsAre(Pair("A", "process"), Pair("B", "file"), Pair("C", "process")));
}

TEST(Environments, TheProcesssOwnHasHyphenatedNames) {
  ASSERT_EQ(::putenv(const_cast<char*>("RR_TEST-NAME=a=b")), 0);
  EXPECT_EQ(ProcessEnvironment().at("RR_TEST-NAME"), "a=b");
}

}  // namespace
}  // namespace requestrouter::config
