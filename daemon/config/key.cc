#include "daemon/config/key.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

#include "daemon/config/fields.h"
#include "daemon/config/key_id.h"
#include "daemon/config/key_mistakes.h"
#include "daemon/config/key_models.h"
#include "daemon/config/key_secret.h"

namespace requestrouter::config {
namespace {

constexpr std::int64_t kMostPriority = 1'000'000;

std::vector<std::string> NamesOf(const std::map<std::string, Provider>& providers) {
  std::vector<std::string> names;
  for (const auto& [name, provider] : providers) names.push_back(name);
  return names;
}

// The built-in provider that people know under another name, or nothing.
std::string BuiltInFor(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kOthers = {
      {{"google", "gemini"},
       {"googleai", "gemini"},
       {"vertex", "gemini"},
       {"claude", "anthropic"},
       {"gpt", "openai"},
       {"chatgpt", "openai"},
       {"grok", "xai"},
       {"mistralai", "mistral"},
       {"llama.cpp", "llamacpp"}}};
  for (const auto& [other, built_in] : kOthers) {
    if (Folded(name) == Folded(other)) return std::string(built_in);
  }
  return "";
}

// The provider's entry, or nullptr (reported).
const Provider* ReadProviderName(const ObjectReader& key, const KeyContext& context, Key& result) {
  if (!key.Has("provider")) {
    key.Missing("provider", "provider is needed, such as \"gemini\"", kKeyFields);
    return nullptr;
  }
  const auto name = key.Text("provider");
  if (!name) return nullptr;
  result.provider = *name;
  const auto at = context.providers.find(*name);
  if (at != context.providers.end()) return &at->second;
  const auto names = NamesOf(context.providers);
  const std::string suggestion = BuiltInFor(*name).empty()
                                     ? DidYouMean(*name, names)
                                     : "; did you mean \"" + BuiltInFor(*name) + "\"?";
  key.Error("provider", "unknown provider " + Quote(*name) +
                            (suggestion.empty() ? "; describe it in \"providers\" (kind, base_url)"
                                                : suggestion));
  return nullptr;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

void ReadPriority(const ObjectReader& tags, Key& key) {
  constexpr std::array<std::string_view, 3> kWords = {"high", "medium", "low"};
  const Node* value = tags.Find("priority");
  if (value == nullptr) return;
  if (value->kind == Node::Kind::kNumber) {
    if (const auto number = tags.Whole("priority", -kMostPriority, kMostPriority)) {
      key.priority = static_cast<int>(*number);
    }
    return;
  }
  for (std::size_t i = 0; i < kWords.size(); ++i) {
    if (value->kind == Node::Kind::kString && EditDistance(value->text, kWords[i]) == 0) {
      key.priority = static_cast<int>(i) + 1;
      return;
    }
  }
  tags.Error("priority", "must be \"high\", \"medium\", \"low\" or a whole number, is " +
                             Describe(*value) +
                             (value->kind != Node::Kind::kString ? ""
                              : IsNumber(value->text)            ? "; remove the quotes"
                                                      : DidYouMean(value->text, kWords)));
}

policy::Tier TierNamed(std::string_view workload) {
  const auto at = std::find(kWorkloads.begin(), kWorkloads.end(), workload);
  return policy::kTiers.at(static_cast<std::size_t>(at - kWorkloads.begin()));
}

void ReadTags(const ObjectReader& reader, Key& key) {
  const auto tags = reader.Object("tags");  // others than these two are the operator's own
  if (!tags) return;
  if (const auto workload = tags->Word("workload", kWorkloads)) key.tier = TierNamed(*workload);
  ReadPriority(*tags, key);
}

}  // namespace

Key ReadKey(const ObjectReader& reader, const KeyContext& context) {
  Key key;
  key.line = reader.line();
  reader.WarnOfUnknown(kKeyFields, SecretsIn(reader), MisplacedTagsIn(reader));
  key.key_id = ReadKeyId(reader);
  const Provider* provider = ReadProviderName(reader, context, key);
  key.quota_group = reader.Name("quota_group").value_or(key.key_id);
  ReadModels(reader, provider, context.settings, key);
  ReadTags(reader, key);
  key.active = reader.Bool("active").value_or(true);
  key.secret = ReadSecretSource(reader, context.settings, context.directory);
  WarnOfSecrets(reader, key.key_id);
  return key;
}

}  // namespace requestrouter::config
