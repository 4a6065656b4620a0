#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/sim/json.h"

// A chat as the simulator's answers see it, whatever the dialect.
namespace requestrouter::sim {

enum class Role : std::uint8_t { kUser, kAssistant, kTool };

struct Turn {
  Role role = Role::kUser;
  std::string text;
  std::vector<std::size_t> images;  // bytes of each; 0 for one that is given by its address
};

struct Tool {
  std::string name;
  Json schema;
};

struct ToolCall {
  std::string name;
  Json arguments;  // an object
};

enum class ToolChoice : std::uint8_t { kAuto, kNone, kRequired };
enum class Format : std::uint8_t { kText, kJsonObject, kJsonSchema };
enum class Finish : std::uint8_t { kStop, kLength, kToolCalls, kContentFilter };

struct Asked {
  std::string model;
  std::string system;
  std::vector<Turn> turns;
  std::vector<Tool> tools;
  ToolChoice tool_choice = ToolChoice::kAuto;
  std::string tool_name;  // the tool that must be called; empty: any
  Format format = Format::kText;
  Json schema;
  std::vector<std::string> stop;
  std::int64_t max_output_tokens = 0;  // 0: no limit
  std::int64_t extra_input_bytes = 0;  // tool definitions and calls, which are billed as input
  bool reasoning = false;
  bool stream = false;
  bool stream_usage = true;
};

struct Usage {
  std::int64_t input = 0;      // all of it
  std::int64_t cached = 0;     // of the input
  std::int64_t output = 0;     // all of it
  std::int64_t reasoning = 0;  // of the output
};

struct Said {
  std::uint64_t number = 0;  // of the answer; ids are made of it
  std::string reasoning;
  std::string text;
  std::string stop_sequence;  // the one that ended the text; empty: none
  std::vector<ToolCall> tool_calls;
  Finish finish = Finish::kStop;
  bool prompt_blocked = false;  // by the safety filter, before anything was said
  std::size_t deltas = 0;       // pieces that a stream is to have; 0: a word each
  Usage usage;
};

// One token for every four bytes, rounded up: easy to check by hand.
std::int64_t CountTokens(std::size_t bytes);

// Tokens of the system prompt, all turns, tools and calls taken together, and 258 for each image
// (what Gemini counts for one); at least 1.
std::int64_t CountInput(const Asked& asked);

// A text in pieces as a model streams it: `count` of about the same size, or a word each, but then
// not more than a thousand. Never inside a character.
std::vector<std::string> Pieces(const std::string& text, std::size_t count);

// The first `bytes` of a text, less what would cut a character.
std::string Prefix(const std::string& text, std::size_t bytes);

// Sixteen hexadecimal digits (FNV-1a): names a prompt in the statistics.
std::string Digest(std::string_view text);

// The opaque token that a provider gives out with its thoughts and wants back unchanged.
std::string SignatureOf(std::string_view thought);
bool IsSignature(std::string_view signature);

// "call_000007_0" for the first call of the seventh answer.
std::string CallId(const char* prefix, const Said& said, std::size_t index);

// The bytes that a base64 text stands for.
std::size_t Base64Bytes(std::string_view text);

}  // namespace requestrouter::sim
