#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/upstream/dialect.h"

// Short ways to say what is asked of a provider and what it answers.
namespace requestrouter::upstream {

using Json = nlohmann::json;  // compared without regard to the order of keys

inline constexpr char kSecret[] = "test-secret-01";

ipc::Message Says(ipc::Role role, std::string text);
ipc::Message Shows(ipc::ImagePart image);
ipc::Message Calls(std::vector<ipc::ToolCall> calls);
ipc::Message Result(std::string call_id, std::string text);
ipc::ToolCall Call(std::string id, std::string name, std::string arguments);

// An attempt of one user message ("Hi") whose parts a test then changes.
struct Asking {
  explicit Asking(ProviderKind kind, std::string model);
  Asking& Messages(std::vector<ipc::Message> messages);
  Asking& Streamed();

  ipc::ChatRequest& options() { return prompt->options; }

  // The body of the encoded request; a failure of the test where it is refused.
  Json Body() const;
  HttpRequest Request() const;
  // Why it is refused; empty where it is not.
  std::string Refusal() const;

  Attempt attempt;
  std::shared_ptr<Provider> provider = std::make_shared<Provider>();
  std::shared_ptr<Prompt> prompt = std::make_shared<Prompt>();
};

Asking AskGemini(std::string model = "gemini-2.5-flash");
Asking AskOpenAi(std::string model = "gpt-4o");
Asking AskAnthropic(std::string model = "claude-sonnet-4-5");

// What became of a stream.
struct Heard {
  std::vector<ipc::ChatDelta> deltas;
  Answer answer;
  bool complete = false;
  std::string malformed;  // what OnEvent failed with
  std::string error;      // the message of an error in mid-stream
};

Heard Hear(ProviderKind kind, const std::vector<std::string>& events);

std::string TextOf(const std::vector<ipc::ChatDelta>& deltas);
std::string ReasoningOf(const std::vector<ipc::ChatDelta>& deltas);

// A file below tests/golden/providers.
std::string ReadGolden(const std::string& path);
// A stream recorded there: an array of the events' data, text as it is and anything else as JSON.
std::vector<std::string> ReadGoldenStream(const std::string& path);

}  // namespace requestrouter::upstream
