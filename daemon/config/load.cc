#include <cmath>
#include <utility>

#include "daemon/config/callers.h"
#include "daemon/config/config.h"
#include "daemon/config/fields.h"
#include "daemon/config/json_tree.h"
#include "daemon/config/keys.h"
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

Config ReadConfig(const ObjectReader& root, const Variables& variables, std::string directory) {
  Config config;
  root.WarnOfUnknown(kRootFields);
  const auto settings = root.Object("config");
  const auto providers = root.Object("providers");
  config.settings = ReadSettings(settings ? &*settings : nullptr, variables);
  config.providers = ReadProviders(providers ? &*providers : nullptr, variables);
  config.models = ReadModels(root);
  config.callers = ReadCallers(root);
  config.agent_weights = ReadAgents(root);
  config.keys = ReadKeys(root, {config.providers, config.settings, std::move(directory)});
  return config;
}

}  // namespace

tl::expected<Loaded, std::vector<Problem>> Load(const std::string& path,
                                                const Environment& environment,
                                                const Dotenv* dotenv) {
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
  if (!report.ok()) return tl::unexpected(report.TakeErrors());
  return Loaded{std::move(config), report.TakeWarnings()};
}

}  // namespace requestrouter::config
