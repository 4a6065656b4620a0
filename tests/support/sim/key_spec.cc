#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "tests/support/sim/keys.h"

namespace requestrouter::sim {
namespace {

constexpr std::array kCounts = {"input", "input+output", "input+max_output"};
constexpr std::array kOtherFields = {"secret", "group", "models", "minute_ms", "day_ms",
                                     "counts", "fault", "name",   "key",       "model"};

tl::unexpected<std::string> Fail(std::string message) { return tl::unexpected(std::move(message)); }

std::optional<Limit> LimitNamed(const std::string& name) {
  for (const Limit limit : kAllLimits) {
    if (name == NameOf(limit)) return limit;
  }
  return std::nullopt;
}

// One "name=value" of the command line as a JSON member, numbers as such.
tl::expected<void, std::string> AddSetting(const std::string& setting, Json* json) {
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos) return Fail("--key: \"" + setting + "\" is not NAME=VALUE");
  const std::string name = setting.substr(0, equals), value = setting.substr(equals + 1);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const bool is_number = error == std::errc() && end == value.data() + value.size();
  if (name == "models") {
    (*json)[name].push_back(value);
  } else {
    (*json)[name] = is_number ? Json(number) : Json(value);
  }
  return {};
}

}  // namespace

tl::expected<LimitSet, std::string> ParseLimits(const Json& json, LimitSet limits) {
  for (const auto& [name, value] : json.items()) {
    const auto limit = LimitNamed(name);
    if (!limit) {
      const bool is_known =
          std::find(kOtherFields.begin(), kOtherFields.end(), name) != kOtherFields.end();
      if (!is_known) return Fail("keys: no such setting: \"" + name + "\"");
      continue;
    }
    if (value.is_null()) {
      limits[*limit] = std::nullopt;
    } else if (!value.is_number_integer() || value.get<std::int64_t>() < 0) {
      return Fail("keys: " + name + ": a whole number, not negative");
    } else {
      limits[*limit] = value.get<std::int64_t>();
    }
  }
  limits.minute = Millis(IntAt(json, "minute_ms", limits.minute.count()));
  limits.day = Millis(IntAt(json, "day_ms", limits.day.count()));
  if (!Find(json, "counts")) return limits;
  const auto counts = std::find(kCounts.begin(), kCounts.end(), TextAt(json, "counts"));
  if (counts == kCounts.end()) return Fail("keys: counts: input, input+output or input+max_output");
  limits.counts = static_cast<Counts>(counts - kCounts.begin());
  return limits;
}

tl::expected<KeySpec, std::string> ParseKeyJson(const Json& json) {
  KeySpec spec;
  spec.secret = TextAt(json, "secret");
  if (spec.secret.empty()) return Fail("keys: secret: missing");
  spec.group = TextAt(json, "group");
  const auto limits = ParseLimits(json, {});
  if (!limits) return Fail(limits.error());
  spec.limits = *limits;
  for (const Json& model : ItemsAt(json, "models")) {
    const std::string name = model.is_string() ? model.get<std::string>() : TextAt(model, "name");
    if (name.empty()) return Fail("keys: models: a name or an object with a name");
    auto own = ParseLimits(model.is_object() ? model : Json::object(), spec.limits);
    if (!own) return Fail(own.error());
    spec.models[name] = *own;
  }
  if (const Json* fault = Find(json, "fault")) {
    auto parsed = ParseFault(*fault);
    if (!parsed) return Fail(parsed.error());
    spec.fault = *parsed;
    spec.fault->key = spec.secret;
    if (!Find(*fault, "count")) spec.fault->count = 0;
  }
  return spec;
}

tl::expected<KeySpec, std::string> ParseKeyFlag(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  const bool has_settings =
      colon != std::string::npos && text.find('=', colon) != std::string::npos;
  Json json = {{"secret", has_settings ? text.substr(0, colon) : text}};
  for (std::size_t begin = has_settings ? colon + 1 : text.size(); begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    if (auto added = AddSetting(text.substr(begin, comma - begin), &json); !added) {
      return Fail(added.error());
    }
    begin = comma + 1;
  }
  return ParseKeyJson(json);
}

}  // namespace requestrouter::sim
