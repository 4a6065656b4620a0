#include <algorithm>
#include <array>

#include "tests/support/sim/service.h"

// POST /_sim/control. Members, all optional; what is not named stays:
//   latency_ms, latency_jitter_ms   before the first byte
//   stream_delta_ms, stream_deltas  between the events of a stream; how many pieces of text
//   answer_text, answer_bytes       the text of every answer, or its size; null, 0: by the rules
//   finish_reason                   stop | length | tool_calls | content_filter; null: the true one
//   safety                          "prompt" | "answer" | null: what the filter refuses
//   tool_calls                      [{name, arguments}], made whenever tools are offered
//   reasoning                       the thoughts; null: only where asked for
//   cached_tokens                   of the input
//   faults                          [see ParseFault], added; clear_faults: true removes all first
//   revoke, restore                 a secret, or a list of them
//   no_credit, credit               likewise: the account cannot pay, can again
//   limits                          {key, model?, rpm, tpm, …}: changed for the whole group
// Answers {} or 400 {"error"}. A member that does not exist is an error and changes nothing.
namespace requestrouter::sim {
namespace {

constexpr std::array kMembers = {"latency_ms",      "latency_jitter_ms",
                                 "stream_delta_ms", "stream_deltas",
                                 "answer_text",     "answer_bytes",
                                 "finish_reason",   "safety",
                                 "tool_calls",      "reasoning",
                                 "cached_tokens",   "faults",
                                 "clear_faults",    "revoke",
                                 "restore",         "no_credit",
                                 "credit",          "limits"};

using Done = tl::expected<void, std::string>;

std::optional<std::string> OptionalText(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<std::string>();
}

tl::expected<std::optional<Finish>, std::string> ParseFinish(const Json& value) {
  if (value.is_null()) return std::nullopt;
  if (value == "stop") return Finish::kStop;
  if (value == "length") return Finish::kLength;
  if (value == "tool_calls") return Finish::kToolCalls;
  if (value == "content_filter") return Finish::kContentFilter;
  return tl::unexpected(std::string("finish_reason: no such one"));
}

Done ApplyScript(const Json& control, Script* script) {
  const auto given = [&](const char* name) { return control.contains(name); };
  if (given("stream_deltas")) script->deltas = control["stream_deltas"];
  if (given("answer_text")) script->text = OptionalText(control["answer_text"]);
  if (given("answer_bytes")) script->bytes = control["answer_bytes"];
  if (given("reasoning")) script->reasoning = OptionalText(control["reasoning"]);
  if (given("cached_tokens")) script->cached_tokens = control["cached_tokens"];
  if (given("safety")) {
    script->block_prompt = control["safety"] == "prompt";
    script->block_answer = control["safety"] == "answer";
  }
  if (given("tool_calls")) {
    script->tool_calls.clear();
    for (const Json& call : control["tool_calls"]) {
      const Json* arguments = Find(call, "arguments");
      script->tool_calls.push_back({TextAt(call, "name"), arguments ? *arguments : Json::object()});
    }
  }
  if (!given("finish_reason")) return {};
  const auto finish = ParseFinish(control["finish_reason"]);
  if (!finish) return tl::unexpected(finish.error());
  script->finish = *finish;
  return {};
}

void ApplyPace(const Json& control, Pace* pace) {
  pace->latency = Millis(IntAt(control, "latency_ms", pace->latency.count()));
  pace->jitter = Millis(IntAt(control, "latency_jitter_ms", pace->jitter.count()));
  pace->delta = Millis(IntAt(control, "stream_delta_ms", pace->delta.count()));
}

HttpResponse Error(const std::string& message) { return JsonResponse(400, {{"error", message}}); }

}  // namespace

HttpResponse Service::HandleOwn(const HttpRequest& request, Instant now) {
  if (request.path == "/_sim/stats") {
    return JsonResponse(200, Stats(request.query == "brief=1", now));
  }
  if (request.path == "/_sim/reset") {
    Reset(now);
    return JsonResponse(200, Json::object());
  }
  if (request.path != "/_sim/control") return JsonResponse(404, {{"error", "no such path"}});
  const Json control = Json::parse(request.body, nullptr, false);
  if (!control.is_object()) return Error("not a JSON object");
  for (const auto& [name, value] : control.items()) {
    if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end()) {
      return Error("no such member: \"" + name + "\"");
    }
  }
  try {
    if (const auto done = Control(control); !done) return Error(done.error());
  } catch (const Json::exception& error) {
    return Error(error.what());
  }
  return JsonResponse(200, Json::object());
}

Done Service::Control(const Json& control) {
  Script script = script_;
  if (auto applied = ApplyScript(control, &script); !applied) return applied;
  std::vector<Fault> faults;
  for (const Json& fault : ItemsAt(control, "faults")) {
    auto parsed = ParseFault(fault);
    if (!parsed) return tl::unexpected(parsed.error());
    faults.push_back(*parsed);
  }
  if (auto applied = ControlKeys(control); !applied) return applied;
  script_ = std::move(script);
  ApplyPace(control, &pace_);
  if (BoolAt(control, "clear_faults")) faults_.Clear();
  for (Fault& fault : faults) faults_.Add(std::move(fault));
  return {};
}

Done Service::ControlKeys(const Json& control) {
  struct Flag {
    const char* member;
    bool Key::*flag;
    bool value;
  };
  static constexpr std::array kFlags = {
      Flag{"revoke", &Key::revoked, true}, Flag{"restore", &Key::revoked, false},
      Flag{"no_credit", &Key::out_of_credit, true}, Flag{"credit", &Key::out_of_credit, false}};
  for (const Flag& flag : kFlags) {
    if (!control.contains(flag.member)) continue;
    const Json& given = control[flag.member];
    for (const Json& secret : given.is_array() ? given : Json::array({given})) {
      Key* key = keys_.Find(secret.get<std::string>());
      if (!key) return tl::unexpected(std::string(flag.member) + ": no such key");
      key->*flag.flag = flag.value;
    }
  }
  const Json* limits = Find(control, "limits");
  if (!limits) return {};
  Key* key = keys_.Find(TextAt(*limits, "key"));
  if (!key) return tl::unexpected(std::string("limits: no such key"));
  return keys_.ChangeLimits(*key, TextAt(*limits, "model"), *limits);
}

void Service::Reset(Instant now) {
  keys_ = Keys(options_.keys, options_.accept_any_key);
  faults_.Clear();
  AddFaultsOfKeys();
  pace_ = options_.pace;
  script_ = options_.script;
  ledger_.Clear();
  totals_ = {};
  keys_in_urls_ = 0;
  max_in_flight_ = in_flight_;
  began_ = now;
}

Json Service::Stats(bool brief, Instant now) const {
  const Millis elapsed = std::chrono::duration_cast<Millis>(now - began_);
  Json stats = {{"totals", ToJson(totals_)},       {"in_flight", in_flight_},
                {"max_in_flight", max_in_flight_}, {"keys_in_urls", keys_in_urls_},
                {"elapsed_ms", elapsed.count()},   {"keys", keys_.ToJson(now, elapsed)}};
  if (brief) return stats;
  stats["prompts"] = ledger_.PromptsJson();
  stats["recent"] = ledger_.RecentJson();
  return stats;
}

}  // namespace requestrouter::sim
