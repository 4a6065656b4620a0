#include "tests/support/sim/gemini.h"

#include <cstdio>

namespace requestrouter::sim {
namespace {

std::string ResponseId(const Said& said) {
  char id[32];
  std::snprintf(id, sizeof id, "sim%017llu", static_cast<unsigned long long>(said.number));
  return id;
}

const char* FinishName(Finish finish) {
  switch (finish) {
    case Finish::kLength:
      return "MAX_TOKENS";
    case Finish::kContentFilter:
      return "SAFETY";
    case Finish::kStop:
    case Finish::kToolCalls:  // no reason of its own here
      break;
  }
  return "STOP";
}

Json SafetyRatings(bool blocked) {
  Json rating = {{"category", "HARM_CATEGORY_DANGEROUS_CONTENT"},
                 {"probability", blocked ? "HIGH" : "NEGLIGIBLE"}};
  if (blocked) rating["blocked"] = true;
  return Json::array({std::move(rating)});
}

Json UsageMetadata(const Usage& usage) {
  Json json = {{"promptTokenCount", usage.input}};
  if (usage.output > usage.reasoning) {
    json["candidatesTokenCount"] = usage.output - usage.reasoning;
  }
  json["totalTokenCount"] = usage.input + usage.output;
  if (usage.cached > 0) json["cachedContentTokenCount"] = usage.cached;
  json["promptTokensDetails"] = Json::array({{{"modality", "TEXT"}, {"tokenCount", usage.input}}});
  if (usage.reasoning > 0) json["thoughtsTokenCount"] = usage.reasoning;
  return json;
}

Json Chunk(const Asked& asked, const Said& said, Json candidates) {
  Json chunk = Json::object();
  if (!candidates.empty()) chunk["candidates"] = std::move(candidates);
  if (said.prompt_blocked) {
    chunk["promptFeedback"] = {{"blockReason", "SAFETY"}, {"safetyRatings", SafetyRatings(true)}};
  }
  chunk["usageMetadata"] = UsageMetadata(said.usage);
  chunk["modelVersion"] = asked.model;
  chunk["responseId"] = ResponseId(said);
  return chunk;
}

// `parts` is empty for a last chunk that only says why the answer ended.
Json Candidate(const Said& said, Json parts, bool is_last) {
  Json candidate = Json::object();
  if (parts.empty()) parts.push_back({{"text", ""}});
  candidate["content"] = {{"parts", std::move(parts)}, {"role", "model"}};
  if (is_last) candidate["finishReason"] = FinishName(said.finish);
  candidate["index"] = 0;
  if (is_last && said.finish == Finish::kContentFilter) {
    candidate["safetyRatings"] = SafetyRatings(true);
  }
  return candidate;
}

Json CallPart(const ToolCall& call, bool is_first) {
  Json part = {{"functionCall", {{"name", call.name}, {"args", call.arguments}}}};
  // Of parallel calls only the first bears a signature.
  if (is_first) part["thoughtSignature"] = SignatureOf(call.name);
  return part;
}

Json ThoughtPart(const std::string& text) { return {{"text", text}, {"thought", true}}; }

std::string Event(const Json& chunk) { return "data: " + Dump(chunk) + "\r\n\r\n"; }

}  // namespace

HttpResponse GeminiDialect::Answer(const Asked& asked, const Said& said) const {
  if (said.prompt_blocked) return JsonResponse(200, Chunk(asked, said, Json::array()));
  Json parts = Json::array();
  if (!said.reasoning.empty()) parts.push_back(ThoughtPart(said.reasoning));
  if (!said.text.empty()) parts.push_back({{"text", said.text}});
  for (const ToolCall& call : said.tool_calls) {
    parts.push_back(CallPart(call, &call == &said.tool_calls.front()));
  }
  return JsonResponse(200,
                      Chunk(asked, said, Json::array({Candidate(said, std::move(parts), true)})));
}

std::vector<std::string> GeminiDialect::Events(const Asked& asked, const Said& said) const {
  if (said.prompt_blocked) return {Event(Chunk(asked, said, Json::array()))};
  std::vector<Json> pieces;
  for (const std::string& thought : Pieces(said.reasoning, 0))
    pieces.push_back(ThoughtPart(thought));
  for (std::string& text : Pieces(said.text, said.deltas)) {
    pieces.push_back({{"text", std::move(text)}});
  }
  for (const ToolCall& call : said.tool_calls) {
    pieces.push_back(CallPart(call, &call == &said.tool_calls.front()));
  }
  if (pieces.empty()) pieces.push_back({{"text", ""}});
  std::vector<std::string> events;
  for (Json& piece : pieces) {
    const bool is_last = events.size() + 1 == pieces.size();
    events.push_back(Event(Chunk(
        asked, said, Json::array({Candidate(said, Json::array({std::move(piece)}), is_last)}))));
  }
  return events;
}

// Gemini names what it has left nowhere.
Headers GeminiDialect::QuotaHeaders(const std::vector<Quota::State>&) const { return {}; }

const Dialect& Gemini() {
  static const GeminiDialect dialect;
  return dialect;
}

}  // namespace requestrouter::sim
