#include "daemon/config/keys.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "daemon/config/key_id.h"
#include "daemon/config/key_limits.h"

namespace requestrouter::config {
namespace {

// A key with its path and the line where a field of it is.
struct Placed {
  Key key;
  ObjectReader reader;
};

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
