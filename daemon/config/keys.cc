#include "daemon/config/keys.h"

#include <array>
#include <utility>

#include "daemon/config/fields.h"
#include "daemon/config/key_limits.h"
#include "daemon/config/key_secret.h"

namespace requestrouter::config {
namespace {

constexpr std::size_t kLongestKeyId = 128;
constexpr std::int64_t kMostPriority = 1'000'000;

std::string KeyId(const ObjectReader& key) {
  if (!key.Has("key_id")) {
    key.Missing("key_id", "key_id is needed: a name of your choice", kKeyFields);
    return "";
  }
  const auto text = key.Text("key_id");
  if (!text || IsKeyId(*text)) return text.value_or("");
  key.Error("key_id", text->size() > kLongestKeyId
                          ? "is longer than 128 bytes"
                          : "must be of letters, digits and \"_-.:@+\" and begin with a letter or "
                            "digit, is " +
                                Quote(*text));
  return "";
}

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

void ReadTags(const ObjectReader& reader, Key& key) {
  const auto tags = reader.Object("tags");  // others than these two are the operator's own
  if (!tags) return;
  if (const auto workload = tags->Word("workload", kWorkloads)) key.workload = *workload;
  ReadPriority(*tags, key);
}

policy::LimitSet ProviderRules(const Provider* provider, const Settings& settings) {
  policy::LimitSet limits;
  limits.guard = settings.window_guard;
  if (provider == nullptr) return limits;
  limits.counts = provider->counts;
  limits.cached_counts = provider->cached_counts;
  limits.burst = provider->burst;
  return limits;
}

// Adds a model unless the key has it already.
void AddModel(Key& key, ModelOfKey model, const ObjectReader& reader, int line,
              const std::string& path) {
  for (const ModelOfKey& other : key.models) {
    if (other.name == model.name) {
      reader.report().Error(line, path, "model " + Quote(model.name) + " is named twice");
      return;
    }
  }
  key.models.push_back(std::move(model));
}

// One entry of `models`: a name, or an object with limits of its own over the key's.
void ReadModel(const ObjectReader& reader, const Node& item, const std::string& path,
               const policy::LimitSet& limits, Key& key) {
  if (item.kind == Node::Kind::kString && !item.text.empty()) {
    if (HoldsSpace(item.text)) {
      return reader.report().Error(
          item.line, path, "must not hold spaces or control characters, is " + Quote(item.text));
    }
    return AddModel(key, {item.text, limits}, reader, item.line, path);
  }
  if (item.kind != Node::Kind::kObject) {
    return reader.report().Error(
        item.line, path, "must be a model's name or an object with one, is " + Describe(item));
  }
  const ObjectReader model(item, path, reader.report());
  model.WarnOfUnknown(kModelOfKeyFields);
  const policy::LimitSet own = ReadLimits(model, limits);
  if (!model.Has("name")) return reader.report().Error(item.line, path, "name is needed");
  if (const auto name = model.Name("name")) {
    AddModel(key, {*name, own}, reader, model.LineOf("name"), model.PathOf("name"));
  }
}

// The flat form names one model by `model_name`; the limits beside it are that model's. Without
// it they are those of every model of `models` that does not have its own.
void ReadModels(const ObjectReader& reader, const policy::LimitSet& rules, Key& key) {
  const policy::LimitSet limits = ReadLimits(reader, rules);
  const bool flat = reader.Has("model_name");
  if (const auto name = reader.Name("model_name")) key.models.push_back({*name, limits});
  const Node* models = reader.Find("models");
  if (models == nullptr) {
    if (!flat) reader.Missing("model_name", "model_name or models is needed", kKeyFields);
    return;
  }
  if (models->kind != Node::Kind::kArray) {
    return reader.Error("models", "must be an array, is " + Describe(*models));
  }
  if (models->items.empty() && !flat) return reader.Error("models", "is empty; name a model");
  for (std::size_t i = 0; i < models->items.size(); ++i) {
    ReadModel(reader, models->items[i], reader.PathOf("models") + "[" + std::to_string(i) + "]",
              flat ? rules : limits, key);
  }
}

// The fields whose names say that they hold a secret.
std::vector<std::string_view> SecretsIn(const ObjectReader& reader) {
  constexpr std::array<std::string_view, 7> kFolded = {
      "apikey", "key", "token", "password", "apitoken", "secretkey", "keyvalue"};
  std::vector<std::string_view> names;
  for (const Member& member : reader.node().members) {
    if (std::find(kFolded.begin(), kFolded.end(), Folded(member.name)) != kFolded.end()) {
      names.push_back(member.name);
    }
  }
  return names;
}

// People who paste the secret itself into the file learn where it belongs instead.
void WarnOfSecrets(const ObjectReader& reader, const std::string& key_id) {
  for (const std::string_view name : SecretsIn(reader)) {
    reader.report().Warn(reader.LineOf(name), reader.PathOf(name),
                         "secrets are not read from this file; remove it and set API_KEY_" +
                             (key_id.empty() ? "<key_id>" : key_id) +
                             " in the environment or the .env file");
  }
}

// What belongs one level deeper: people forget the braces around it.
std::vector<std::string_view> TagsIn(const ObjectReader& reader) {
  std::vector<std::string_view> names;
  for (const std::string_view tag : kTagFields) {
    if (!reader.Has(tag)) continue;
    names.push_back(tag);
    reader.report().Warn(reader.LineOf(tag), reader.PathOf(tag),
                         "is not read here; it belongs in \"tags\"");
  }
  return names;
}

Key ReadKey(const ObjectReader& reader, const KeyContext& context) {
  Key key;
  key.line = reader.line();
  reader.WarnOfUnknown(kKeyFields, SecretsIn(reader), TagsIn(reader));
  key.key_id = KeyId(reader);
  const Provider* provider = ReadProviderName(reader, context, key);
  key.quota_group = reader.Name("quota_group").value_or(key.key_id);
  ReadModels(reader, ProviderRules(provider, context.settings), key);
  ReadTags(reader, key);
  key.active = reader.Bool("active").value_or(true);
  key.secret = ReadSecretSource(reader, context.settings, context.directory);
  WarnOfSecrets(reader, key.key_id);
  return key;
}

// ---- keys against each other

// A key with its path and the line where a field of it is.
struct Placed {
  Key key;
  ObjectReader reader;
};

// How a key_id looks in its upper-case variable: the spelling that keeps the least.
std::string UpperCaseVariable(std::string text) {
  for (char& c : text) {
    const bool lower = c >= 'a' && c <= 'z';
    const bool kept = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
    c = lower ? static_cast<char>(c - 'a' + 'A') : kept ? c : '_';
  }
  return text;
}

void CheckNames(const std::vector<Placed>& keys) {
  std::map<std::string, const Placed*> by_id, by_folded;
  for (const Placed& placed : keys) {
    const std::string& id = placed.key.key_id;
    if (id.empty()) continue;
    const auto [same, is_new] = by_id.emplace(id, &placed);
    if (!is_new) {
      placed.reader.Error("key_id", "duplicate key_id " + Quote(id) + ", first on line " +
                                        std::to_string(same->second->reader.LineOf("key_id")) +
                                        "; give each key its own");
      continue;
    }
    const auto [alike, is_alone] = by_folded.emplace(UpperCaseVariable(id), &placed);
    if (!is_alone) {
      placed.reader.report().Warn(placed.reader.LineOf("key_id"), placed.reader.PathOf("key_id"),
                                  Quote(id) + " and " + Quote(alike->second->key.key_id) +
                                      " differ only in case or punctuation: the variable API_KEY_" +
                                      UpperCaseVariable(id) + " would be found for both");
    }
  }
}

void CheckAgainst(const Placed& placed, const Placed& other) {
  const Key& key = placed.key;
  if (!key.provider.empty() && !other.key.provider.empty() && key.provider != other.key.provider) {
    placed.reader.Error("quota_group", "quota group " + Quote(key.quota_group) +
                                           " is of provider " + Quote(other.key.provider) + " at " +
                                           other.reader.path() + ", but this key is of " +
                                           Quote(key.provider));
    return;
  }
  for (const ModelOfKey& model : key.models) {
    for (const ModelOfKey& same : other.key.models) {
      if (model.name != same.name || SameLimits(model.limits, same.limits)) continue;
      placed.reader.report().Error(
          placed.reader.line(), placed.reader.path(),
          "other limits for " + Quote(model.name) + " than " + other.reader.path() + " (line " +
              std::to_string(other.reader.line()) + ") of the same quota group " +
              Quote(key.quota_group) + "; a group shares one quota, so make them equal");
    }
  }
}

// Each key of a quota group is compared with the group's first keys that serve its models.
void CheckGroups(const std::vector<Placed>& keys) {
  std::map<std::string, const Placed*> first_of_group;
  std::map<std::pair<std::string, std::string>, const Placed*> first_of_model;
  for (const Placed& placed : keys) {
    const std::string& group = placed.key.quota_group;
    if (group.empty()) continue;
    std::vector<const Placed*> others;
    const auto [first, is_new] = first_of_group.emplace(group, &placed);
    if (!is_new && first->second->key.key_id != placed.key.key_id) others.push_back(first->second);
    for (const ModelOfKey& model : placed.key.models) {
      const Placed* other =
          first_of_model.emplace(std::pair(group, model.name), &placed).first->second;
      const bool seen = std::find(others.begin(), others.end(), other) != others.end();
      if (!seen && other->key.key_id != placed.key.key_id) others.push_back(other);
    }
    for (const Placed* other : others) CheckAgainst(placed, *other);
  }
}

void CheckAnyUsable(const ObjectReader& root, const std::vector<Placed>& keys) {
  constexpr std::string_view kNext =
      "; until then every chat request is refused. Add one with key_id, provider and model_name, "
      "set API_KEY_<key_id>, and reload";
  if (keys.empty()) {
    root.report().Warn(root.LineOf("keys"), "keys", "there are no keys yet" + std::string(kNext));
    return;
  }
  for (const Placed& placed : keys) {
    if (placed.key.active) return;
  }
  root.report().Warn(root.LineOf("keys"), "keys",
                     "no key is active; until one is, every chat request is refused");
}

}  // namespace

bool IsKeyId(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  if (text.empty() || text.size() > kLongestKeyId || !alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return alphanumeric(c) || std::string_view("_-.:@+").find(c) != std::string_view::npos;
  });
}

std::vector<Key> ReadKeys(const ObjectReader& root, const KeyContext& context) {
  std::vector<Placed> placed;
  const Node* array = root.Find("keys");
  if (array != nullptr && array->kind != Node::Kind::kArray) {
    root.Error("keys", "must be an array of keys, is " + Describe(*array));
    return {};
  }
  for (std::size_t i = 0; array != nullptr && i < array->items.size(); ++i) {
    const Node& item = array->items[i];
    const std::string path = "keys[" + std::to_string(i) + "]";
    if (item.kind != Node::Kind::kObject) {
      root.report().Error(item.line, path, "must be an object, is " + Describe(item));
      continue;
    }
    const ObjectReader reader(item, path, root.report());
    placed.push_back({ReadKey(reader, context), reader});
  }
  CheckNames(placed);
  CheckGroups(placed);
  if (array == nullptr || placed.size() == array->items.size()) CheckAnyUsable(root, placed);
  std::vector<Key> keys;
  for (Placed& one : placed) keys.push_back(std::move(one.key));
  return keys;
}

}  // namespace requestrouter::config
