#include "daemon/config/callers.h"

#include "daemon/config/fields.h"
#include "daemon/config/user_database.h"

namespace requestrouter::config {
namespace {

constexpr std::int64_t kMostId = 4'294'967'294;  // the one above stands for "no id"
constexpr double kMostWeight = 1e6;

// A number, or a name that `lookup` knows.
template <typename Lookup>
std::optional<std::uint32_t> ReadId(const ObjectReader& rule, const char* field, Lookup lookup) {
  const Node* value = rule.Find(field);
  if (value == nullptr) return std::nullopt;
  if (value->kind != Node::Kind::kString) {
    const auto number = rule.Whole(field, 0, kMostId);
    if (!number) return std::nullopt;
    return static_cast<std::uint32_t>(*number);
  }
  const auto id = lookup(value->text);
  const bool is_number = value->text.find_first_not_of("0123456789") == std::string::npos;
  if (!id) {
    rule.Error(field, "there is no such name here: " + Quote(value->text) +
                          (is_number && !value->text.empty() ? "; remove the quotes" : ""));
  }
  return id;
}

std::optional<double> ReadWeight(const ObjectReader& reader) {
  const auto weight = reader.NotNegative("weight");
  if (!weight || (*weight > 0 && *weight <= kMostWeight)) return weight;
  reader.Error("weight", "must be above 0");
  return std::nullopt;
}

CallerRule ReadRule(const ObjectReader& reader) {
  CallerRule rule;
  reader.WarnOfUnknown(kCallerFields);
  rule.uid = ReadId(reader, "uid", UserId);
  rule.gid = ReadId(reader, "group", GroupId);
  if (reader.Has("uid") && reader.Has("group")) {
    reader.Error("group", "a rule names a uid or a group, not both; make two of it");
  }
  if (reader.Has("models")) rule.models = reader.Texts("models");
  rule.tokens_per_day = reader.Whole("tokens_per_day", 1, kMostTokens);
  rule.usd_per_day = reader.NotNegative("usd_per_day");
  rule.weight = ReadWeight(reader);
  if (rule.weight && !reader.Has("uid")) {
    reader.Error("weight", "is of a uid; name it in \"uid\"");
  }
  return rule;
}

// The first rule that names a caller holds, so a second one for the same is a mistake.
void WarnOfUnreached(const std::vector<CallerRule>& rules, const ObjectReader& reader) {
  const CallerRule& last = rules.back();
  for (std::size_t i = 0; i + 1 < rules.size(); ++i) {
    if (rules[i].uid != last.uid || rules[i].gid != last.gid) continue;
    reader.report().Warn(reader.line(), reader.path(),
                         "has no effect: callers[" + std::to_string(i) +
                             "] is for the same callers and comes first; make one of them");
    return;
  }
}

}  // namespace

std::vector<CallerRule> ReadCallers(const ObjectReader& root) {
  std::vector<CallerRule> rules;
  const Node* block = root.Find("callers");
  if (block == nullptr) return rules;
  if (block->kind != Node::Kind::kArray) {
    root.Error("callers", "must be an array of objects, is " + Describe(*block));
    return rules;
  }
  for (std::size_t i = 0; i < block->items.size(); ++i) {
    const Node& item = block->items[i];
    const std::string path = "callers[" + std::to_string(i) + "]";
    if (item.kind == Node::Kind::kObject) {
      const ObjectReader reader(item, path, root.report());
      const bool is_sound = root.report().ok();
      rules.push_back(ReadRule(reader));
      if (is_sound && root.report().ok()) WarnOfUnreached(rules, reader);
    } else {
      root.report().Error(item.line, path, "must be an object, is " + Describe(item));
    }
  }
  return rules;
}

std::map<std::string, double> ReadAgents(const ObjectReader& root) {
  std::map<std::string, double> weights;
  const auto block = root.Object("agents");
  if (!block) return weights;
  for (const Member& member : block->node().members) {
    if (IsComment(member.name)) continue;
    const auto agent = block->Object(member.name);
    if (!agent) continue;
    agent->WarnOfUnknown(kAgentFields);
    if (const auto weight = ReadWeight(*agent)) weights.emplace(member.name, *weight);
  }
  return weights;
}

}  // namespace requestrouter::config
