#include "daemon/config/settings.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/config/fields.h"
#include "daemon/config/log_settings.h"
#include "daemon/config/loopback_address.h"
#include "daemon/config/number_settings.h"
#include "daemon/config/secret_store.h"
#include "daemon/config/user_database.h"

namespace requestrouter::config {
namespace {

void ReadMetricsListen(const ObjectReader& block, Settings& settings) {
  const auto text = block.Text("metrics_listen");
  if (!text) return;
  auto address = LoopbackAddress(*text);
  if (address) {
    settings.metrics_listen = std::move(*address);
  } else {
    block.Error("metrics_listen", address.error());
  }
}

std::string AbsolutePath(const ObjectReader& block, std::string_view field, std::string path) {
  if (path.front() != '/') block.Error(field, "must be an absolute path, is " + Quote(path));
  return path;
}

void ReadWorkloads(const ObjectReader& block, Settings& settings) {
  const auto mapping = block.Object("workload_model_mapping");
  if (!mapping) return;
  for (const Member& member : mapping->node().members) {
    if (IsComment(member.name)) continue;
    if (std::find(kWorkloads.begin(), kWorkloads.end(), member.name) == kWorkloads.end()) {
      mapping->Error(member.name, "is not a workload; use \"light\", \"medium\" or \"heavy\"" +
                                      DidYouMean(member.name, kWorkloads));
      continue;
    }
    settings.workload_models[member.name] = mapping->Texts(member.name);
  }
}

void ReadWords(const ObjectReader& block, Settings& settings) {
  constexpr std::array<std::string_view, 2> kDurabilities = {"full", "process"};
  if (const auto fallback = block.Bool("enable_fallback")) settings.enable_fallback = *fallback;
  if (const auto word = block.Word("durability", kDurabilities)) {
    settings.durability_full = *word == "full";
  }
  if (auto group = block.Text("admin_group")) {
    settings.admin_group = std::move(*group);
    if (!GroupId(settings.admin_group)) {
      block.report().Warn(block.LineOf("admin_group"), block.PathOf("admin_group"),
                          "there is no group " + Quote(settings.admin_group) +
                              " here; until there is, only root and routerd's own user are "
                              "administrators");
    }
  }
  if (auto command = block.Text("secret_command")) settings.secret_command = std::move(*command);
  if (auto directory = block.Text("secret_directory")) {
    settings.secret_directory = AbsolutePath(block, "secret_directory", std::move(*directory));
  }
  if (auto file = block.Text("log_file")) {
    settings.log_file = AbsolutePath(block, "log_file", std::move(*file));
  }
}

void WarnOfUnknownSettings(const ObjectReader& block) {
  std::vector<std::string_view> numbers;
  for (const NumberSetting& setting : NumberSettings()) numbers.push_back(setting.field);
  block.WarnOfUnknown(kOtherSettings, numbers);
}

}  // namespace

Settings ReadSettings(const ObjectReader* block, const Variables& variables) {
  Settings settings;
  const SettingSource source(block, variables);
  ReadNumbers(source, settings);
  if (block != nullptr) {
    ReadWords(*block, settings);
    ReadWorkloads(*block, settings);
    ReadMetricsListen(*block, settings);
    WarnOfUnknownSettings(*block);
  }
  ReadSecretStore(source, settings);
  ReadLogSettings(source, settings);
  if (variables.Text("REDIS_URL")) {
    variables.Warn("REDIS_URL", "not needed any more: state is kept in SQLite; remove it");
  }
  return settings;
}

}  // namespace requestrouter::config
