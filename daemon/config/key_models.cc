#include "daemon/config/key_models.h"

#include <string>
#include <utility>

#include "daemon/config/fields.h"
#include "daemon/config/key_limits.h"

namespace requestrouter::config {
namespace {

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

}  // namespace

void ReadModels(const ObjectReader& reader, const Provider* provider, const Settings& settings,
                Key& key) {
  const policy::LimitSet rules = ProviderRules(provider, settings);
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

}  // namespace requestrouter::config
