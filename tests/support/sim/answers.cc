#include "tests/support/sim/answers.h"

#include <algorithm>
#include <cctype>

#include "tests/support/lower_case.h"
#include "tests/support/sim/schema.h"

namespace requestrouter::sim {
namespace {

bool Holds(const std::string& text, const char* words) {
  return support::LowerCase(text).find(words) != std::string::npos;
}

// The word after "my name is" in the latest user turn that says it.
std::string NameIn(const Asked& asked) {
  static constexpr std::string_view kWords = "my name is ";
  for (auto turn = asked.turns.rbegin(); turn != asked.turns.rend(); ++turn) {
    if (turn->role != Role::kUser) continue;
    const std::size_t at = support::LowerCase(turn->text).find(kWords);
    if (at == std::string::npos) continue;
    const std::size_t begin = at + kWords.size();
    return turn->text.substr(begin, turn->text.find_first_of(" .,;!?\n", begin) - begin);
  }
  return {};
}

const Turn* FirstOfUser(const Asked& asked) {
  for (const Turn& turn : asked.turns) {
    if (turn.role == Role::kUser) return &turn;
  }
  return nullptr;
}

const Turn* LastOfUser(const Asked& asked) {
  for (auto turn = asked.turns.rbegin(); turn != asked.turns.rend(); ++turn) {
    if (turn->role == Role::kUser) return &*turn;
  }
  return nullptr;
}

std::string SayImages(const Turn& turn) {
  std::size_t bytes = 0;
  for (const std::size_t one : turn.images) bytes += one;
  return "I see " + std::to_string(turn.images.size()) +
         (turn.images.size() == 1 ? " image of " : " images of ") + std::to_string(bytes) +
         " bytes.";
}

std::string Plain(const Asked& asked) {
  const Turn* last = LastOfUser(asked);
  if (!last) return "You said nothing.";
  if (!last->images.empty()) return SayImages(*last);
  if (Holds(last->text, "what is my name")) {
    const std::string name = NameIn(asked);
    return name.empty() ? "I do not know your name." : "Your name is " + name + ".";
  }
  if (Holds(last->text, "what did i say first")) {
    return "You said first: " + FirstOfUser(asked)->text;
  }
  if (Holds(last->text, "what are your instructions"))
    return "My instructions are: " + asked.system;
  const auto turns = std::count_if(asked.turns.begin(), asked.turns.end(),
                                   [](const Turn& turn) { return turn.role == Role::kUser; });
  return "You said: " + last->text + "; this is turn " + std::to_string(turns) + ".";
}

std::string SayToolResults(const Asked& asked) {
  auto first = asked.turns.end();
  while (first != asked.turns.begin() && std::prev(first)->role == Role::kTool) --first;
  std::string text = "The tool said: ";
  for (auto turn = first; turn != asked.turns.end(); ++turn) {
    if (turn != first) text += "; ";
    text += turn->text;
  }
  return text + ".";
}

// Whether the text says "call NAME", and not "call NAMES".
bool TellsToCall(const std::string& text, const std::string& name) {
  const std::string words = "call " + name;
  for (std::size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) {
    const std::size_t end = at + words.size();
    const bool goes_on =
        end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) ||
                              text[end] == '_' || text[end] == '-');
    if (!goes_on) return true;
  }
  return false;
}

std::vector<ToolCall> CallsFor(const Asked& asked, const Script& script) {
  if (asked.tools.empty() || asked.tool_choice == ToolChoice::kNone) return {};
  if (!script.tool_calls.empty()) return script.tool_calls;
  const Turn* last = LastOfUser(asked);
  std::vector<ToolCall> calls;
  for (const Tool& tool : asked.tools) {
    const bool is_named = tool.name == asked.tool_name;
    const bool is_told = last && asked.tool_name.empty() && TellsToCall(last->text, tool.name);
    if (is_named || is_told) calls.push_back({tool.name, InstanceOf(tool.schema)});
  }
  if (calls.empty() && asked.tool_choice == ToolChoice::kRequired) {
    calls.push_back({asked.tools.front().name, InstanceOf(asked.tools.front().schema)});
  }
  for (ToolCall& call : calls) {
    if (!call.arguments.is_object()) call.arguments = Json::object();
  }
  return calls;
}

std::string Filler(std::size_t bytes) {
  std::string text(bytes, 'x');
  for (std::size_t i = 7; i < bytes; i += 8) text[i] = ' ';
  return text;
}

std::string TextFor(const Asked& asked) {
  if (asked.format == Format::kJsonSchema) return Dump(InstanceOf(asked.schema));
  const std::string plain = Plain(asked);
  return asked.format == Format::kJsonObject ? Dump(Json{{"answer", plain}}) : plain;
}

void KeepToStopSequences(const Asked& asked, Said* said) {
  for (const std::string& stop : asked.stop) {
    const std::size_t at = stop.empty() ? std::string::npos : said->text.find(stop);
    if (at == std::string::npos) continue;
    said->text.resize(at);
    said->stop_sequence = stop;
  }
}

void KeepToLength(const Asked& asked, Said* said) {
  if (asked.max_output_tokens == 0) return;
  const auto bytes = static_cast<std::size_t>(asked.max_output_tokens) * 4;
  if (said->text.size() <= bytes) return;
  said->text = Prefix(said->text, bytes);
  said->finish = Finish::kLength;
}

void Speak(const Asked& asked, const Script& script, Said* said) {
  if (script.text || script.bytes > 0) {
    said->text = script.text ? *script.text : Filler(script.bytes);
    return;
  }
  const bool has_results = !asked.turns.empty() && asked.turns.back().role == Role::kTool;
  if (!has_results) said->tool_calls = CallsFor(asked, script);
  if (!said->tool_calls.empty()) {
    said->finish = Finish::kToolCalls;
    return;
  }
  said->text =
      has_results && asked.format == Format::kText ? SayToolResults(asked) : TextFor(asked);
  KeepToStopSequences(asked, said);
  KeepToLength(asked, said);
}

Usage Bill(const Asked& asked, const Script& script, const Said& said) {
  Usage usage;
  usage.input = CountInput(asked);
  usage.cached = std::min(script.cached_tokens, usage.input);
  usage.reasoning = CountTokens(said.reasoning.size());
  std::size_t bytes = said.text.size();
  for (const ToolCall& call : said.tool_calls) {
    bytes += call.name.size() + Dump(call.arguments).size();
  }
  usage.output = CountTokens(bytes) + usage.reasoning;
  return usage;
}

}  // namespace

Said Say(const Asked& asked, const Script& script) {
  Said said;
  said.deltas = script.deltas;
  if (script.block_prompt) {
    said.prompt_blocked = true;
    said.finish = Finish::kContentFilter;
    said.usage.input = CountInput(asked);
    return said;
  }
  if (script.reasoning) {
    said.reasoning = *script.reasoning;
  } else if (asked.reasoning) {
    const Turn* last = LastOfUser(asked);
    said.reasoning = "The user says: " + (last ? last->text : "") + ".";
  }
  Speak(asked, script, &said);
  if (script.block_answer) {
    said.text = Prefix(said.text, said.text.size() / 2);
    said.finish = Finish::kContentFilter;
  }
  if (script.finish) said.finish = *script.finish;
  said.usage = Bill(asked, script, said);
  return said;
}

}  // namespace requestrouter::sim
