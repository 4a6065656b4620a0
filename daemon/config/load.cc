#include <cmath>
#include <utility>

#include "daemon/config/callers.h"
#include "daemon/config/config.h"
#include "daemon/config/fields.h"
#include "daemon/config/json_tree.h"
#include "daemon/config/keys.h"
#include "daemon/config/number_settings.h"
#include "daemon/config/object_reader.h"
#include "daemon/config/providers.h"
#include "daemon/config/settings.h"
#include "daemon/config/text_file.h"
#include "daemon/config/variables.h"

namespace requestrouter::config {
namespace {

using Failure = tl::unexpected<std::vector<Problem>>;

Failure Fail(const std::string& path, std::string message) {
  return Failure({{path, 0, "", std::move(message)}});
}

std::string DirectoryOf(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Names that occur twice in one object: which of them holds differs between readers of JSON.
void ReportDuplicates(const Node& node, const std::string& path, Report& report) {
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    ReportDuplicates(node.items[i], path + "[" + std::to_string(i) + "]", report);
  }
  for (const Member& member : node.members) {
    const ObjectReader object(node, path, report);
    const std::string inner = object.PathOf(member.name);
    if (member.first_line > 0) {
      report.Error(
          member.line, inner,
          "is set twice, first on line " + std::to_string(member.first_line) + "; remove one");
    }
    ReportDuplicates(member.value, inner, report);
  }
}

void ReadCapabilities(const ObjectReader& reader, Model& model) {
  if (!reader.Has("capabilities")) return;
  model.capabilities = reader.Texts("capabilities");
  for (const std::string& capability : *model.capabilities) {
    if (std::find(kCapabilities.begin(), kCapabilities.end(), capability) != kCapabilities.end()) {
      continue;
    }
    reader.Error("capabilities", "unknown capability " + Quote(capability) + "; there are " +
                                     "tools, json, json_schema, images, reasoning and streaming" +
                                     DidYouMean(capability, kCapabilities));
  }
}

Model ReadModel(const ObjectReader& reader) {
  Model model;
  reader.WarnOfUnknown(kModelFields);
  model.context_tokens = reader.Whole("context_tokens", 1, kMostTokens);
  model.input_usd_per_mtok = reader.NotNegative("input_usd_per_mtok");
  model.output_usd_per_mtok = reader.NotNegative("output_usd_per_mtok");
  model.cached_usd_per_mtok = reader.NotNegative("cached_usd_per_mtok");
  ReadCapabilities(reader, model);
  for (const auto& [one, other] : {std::pair("input_usd_per_mtok", "output_usd_per_mtok"),
                                   std::pair("output_usd_per_mtok", "input_usd_per_mtok")}) {
    if (!reader.Has(one) || reader.Has(other)) continue;
    reader.report().Warn(reader.LineOf(one), reader.PathOf(one),
                         "has no effect without " + std::string(other));
  }
  return model;
}

std::map<std::string, Model> ReadModels(const ObjectReader& root) {
  std::map<std::string, Model> models;
  const auto block = root.Object("models");
  if (!block) return models;
  for (const Member& member : block->node().members) {
    if (IsComment(member.name)) continue;
    if (const auto reader = block->Object(member.name)) {
      models.emplace(member.name, ReadModel(*reader));
    }
  }
  return models;
}

// Settings that stand beside "config" instead of in it.
std::vector<std::string_view> SettingsIn(const ObjectReader& root) {
  std::vector<std::string_view> names(kOtherSettings.begin(), kOtherSettings.end());
  for (const NumberSetting& setting : NumberSettings()) names.push_back(setting.field);
  std::erase_if(names, [&](std::string_view name) { return !root.Has(name); });
  for (const std::string_view name : names) {
    root.report().Warn(root.LineOf(name), root.PathOf(name),
                       "is not read here; it belongs in \"config\"");
  }
  return names;
}

std::vector<std::string> ModelsOf(const std::vector<Key>& keys) {
  std::vector<std::string> models;
  for (const Key& key : keys) {
    for (const ModelOfKey& model : key.models) models.push_back(model.name);
  }
  return models;
}

constexpr std::size_t kShortestName = 5;  // shorter ones are alike without being misspelt

// Names of models that no key serves: misspelt ones, where they are nearly one that is served, or
// where a caller may use nothing else.
void CheckModels(const ObjectReader& root, const Config& config) {
  const std::vector<std::string> served = ModelsOf(config.keys);
  const auto is_served = [&](std::string_view pattern) {
    const bool prefix = !pattern.empty() && pattern.back() == '*';
    if (prefix) pattern.remove_suffix(1);
    return std::any_of(served.begin(), served.end(), [&](std::string_view model) {
      return prefix ? model.substr(0, pattern.size()) == pattern : model == pattern;
    });
  };
  const auto models = root.Object("models");
  for (const auto& [name, model] : config.models) {
    const std::string meant = DidYouMean(name, served);
    if (is_served(name) || meant.empty() || name.size() < kShortestName) continue;
    root.report().Warn(models->LineOf(name), models->PathOf(name), "no key serves it" + meant);
  }
  const Node* callers = root.Find("callers");
  for (std::size_t i = 0; callers && !served.empty() && i < config.callers.size(); ++i) {
    for (const std::string& name : config.callers[i].models.value_or(std::vector<std::string>())) {
      if (is_served(name)) continue;
      const std::string path = "callers[" + std::to_string(i) + "]";
      const ObjectReader rule(callers->items[i], path, root.report());
      root.report().Warn(rule.LineOf("models"), rule.PathOf("models"),
                         "no key serves " + Quote(name) + DidYouMean(name, served));
    }
  }
}

// A budget in dollars counts by prices.
void CheckPrices(const ObjectReader& root, const Config& config) {
  for (const auto& [name, model] : config.models) {
    if (model.input_usd_per_mtok && model.output_usd_per_mtok) return;
  }
  const Node* callers = root.Find("callers");
  for (std::size_t i = 0; callers && i < config.callers.size(); ++i) {
    if (!config.callers[i].usd_per_day) continue;
    const ObjectReader rule(callers->items[i], "callers[" + std::to_string(i) + "]", root.report());
    root.report().Warn(rule.LineOf("usd_per_day"), rule.PathOf("usd_per_day"),
                       "has no effect: no model in \"models\" has prices");
  }
}

Config ReadConfig(const ObjectReader& root, const Variables& variables, std::string directory) {
  Config config;
  root.WarnOfUnknown(kRootFields, SettingsIn(root));
  const auto settings = root.Object("config");
  const auto providers = root.Object("providers");
  config.settings = ReadSettings(settings ? &*settings : nullptr, variables);
  config.providers = ReadProviders(providers ? &*providers : nullptr, variables);
  config.models = ReadModels(root);
  config.callers = ReadCallers(root);
  config.agent_weights = ReadAgents(root);
  config.keys = ReadKeys(root, {config.providers, config.settings, std::move(directory)});
  if (root.report().ok()) {
    CheckModels(root, config);
    CheckPrices(root, config);
  }
  return config;
}

}  // namespace

tl::expected<Loaded, std::vector<Problem>> Load(const std::string& path,
                                                const Environment& environment,
                                                const Dotenv* dotenv) {
  if (path.empty()) return Fail("--config", "names no file");
  const auto text = ReadTextFile(path);
  if (!text) return Fail(path, text.error());
  if (text->find_first_not_of(" \t\r\n") == std::string::npos) {
    return Fail(path, "is empty; write {\"keys\": []} to begin with");
  }
  const auto tree = ParseJson(*text);
  if (!tree) {
    const SyntaxError& error = tree.error();
    return Failure({{path, error.line, "", error.message, error.column}});
  }
  if (tree->kind != Node::Kind::kObject) {
    return Fail(path, "must hold an object such as {\"keys\": [...]}, holds " + Describe(*tree));
  }
  Report report(path);
  ReportDuplicates(*tree, "", report);
  const ObjectReader root(*tree, "", report);
  const Variables variables(environment, dotenv, report);
  Config config = ReadConfig(root, variables, DirectoryOf(path));
  if (!report.ok()) return tl::unexpected(report.TakeAll());
  return Loaded{std::move(config), report.TakeWarnings()};
}

}  // namespace requestrouter::config
