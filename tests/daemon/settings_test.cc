#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "daemon/changes.h"
#include "daemon/config/config.h"
#include "daemon/config/fields.h"
#include "daemon/config/number_settings.h"
#include "tests/support/temp_dir.h"

// Every setting that `config` may hold is read, and a reload tells of it.
namespace requestrouter {
namespace {

// Whether a reload from `before` to `after` names the setting.
bool IsTold(const std::string& name, const config::Config& before, const config::Config& after) {
  const std::string prefix = "config.";
  for (const std::string& change : Changes(before, after)) {
    if (change.rfind(prefix, 0) != 0) continue;
    std::istringstream words(change.substr(prefix.size()));
    for (std::string word; words >> word;) {
      if (word == name) return true;
    }
  }
  return false;
}

std::optional<config::Config> With(const std::string& name, const std::string& value) {
  const support::TempDir directory;
  const std::string path =
      directory.Write("keys.json", R"({"keys": [], "config": {")" + name + "\": " + value + "}}");
  const auto loaded = config::Load(path, {});
  if (!loaded) return std::nullopt;
  return loaded->config;
}

TEST(Settings, EveryNumberIsReadAndToldOf) {
  for (const config::NumberSetting& setting : config::NumberSettings()) {
    config::Config before, after;
    setting.set(before.settings, setting.max - 1);
    setting.set(after.settings, setting.max);
    EXPECT_TRUE(IsTold(std::string(setting.field), before, after)) << setting.field;
  }
}

TEST(Settings, EveryOtherIsReadAndToldOf) {
  const std::map<std::string, std::pair<std::string, std::string>> values = {
      {"enable_fallback", {"true", "false"}},
      {"durability", {R"("full")", R"("process")"}},
      {"workload_model_mapping", {R"({"light": ["m"]})", R"({"heavy": ["m"]})"}},
      {"admin_group", {R"("root")", R"("daemon")"}},
      {"log_level", {R"("info")", R"("debug")"}},
      {"log_format", {R"("text")", R"("json")"}},
      {"log_file", {R"("/tmp/a")", R"("/tmp/b")"}},
      {"metrics_listen", {R"("127.0.0.1:9464")", R"("127.0.0.1:9465")"}},
      {"secret_store", {R"("env")", R"("file")"}},
      {"secret_directory", {R"("/a")", R"("/b")"}},
      {"secret_command", {R"("a")", R"("b")"}},
  };
  for (const std::string_view field : config::kOtherSettings) {
    const std::string name(field);
    SCOPED_TRACE(name);
    const auto value = values.find(name);
    ASSERT_NE(value, values.end()) << "has no values to try";
    const auto before = With(name, value->second.first);
    const auto after = With(name, value->second.second);
    ASSERT_TRUE(before && after);
    EXPECT_TRUE(IsTold(name, *before, *after));
  }
}

}  // namespace
}  // namespace requestrouter
