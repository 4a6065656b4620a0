#include <gtest/gtest.h>

#include <chrono>
#include <random>

#include "tests/upstream/dialect_fixture.h"

// Whatever a provider sends, decoding ends with a value or an error.
namespace requestrouter::upstream {
namespace {

constexpr ProviderKind kKinds[] = {ProviderKind::kGemini, ProviderKind::kOpenAi,
                                   ProviderKind::kAnthropic};
constexpr const char* kRecorded[] = {"gemini/answer_text.json",
                                     "gemini/answer_calls.json",
                                     "gemini/answer_blocked_prompt.json",
                                     "gemini/stream_text.json",
                                     "gemini/error_day_quota.json",
                                     "openai/answer_text.json",
                                     "openai/answer_calls.json",
                                     "openai/stream_calls.json",
                                     "anthropic/answer_text.json",
                                     "anthropic/answer_thinking_calls.json",
                                     "anthropic/stream_thinking_calls.json"};

void DecodeAllWays(ProviderKind kind, const std::string& body) {
  const Dialect& dialect = DialectOf(kind);
  const auto answer = dialect.Decode(body);
  if (answer) {
    ipc::Message said = Says(ipc::Role::kAssistant, answer->content);
    said.tool_calls = answer->tool_calls;
    said.provider_state = answer->provider_state;
    for (Asking asking : {AskGemini(), AskOpenAi(), AskAnthropic()}) {
      asking.Messages({Says(ipc::Role::kUser, "Hi"), said}).Request();
    }
  }
  dialect.DecodeError(body);
  Hear(kind, {body, body});
}

// Replaces, removes, repeats or moves a few bytes or a run of them.
std::string Mutate(std::string text, std::mt19937& random) {
  constexpr char kBytes[] = "{}[]\",:0-9e.\\u\x80\xff\x00ntf";
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (std::size_t edits = 1 + below(4); edits > 0 && !text.empty(); --edits) {
    const std::size_t at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = kBytes[below(sizeof kBytes)];
        break;
      case 1:
        text.erase(at, 1 + below(40));
        break;
      case 2:
        text.insert(at, text.substr(below(text.size()), below(80)));
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

// Replaces one value inside of a document by one of another type: mutations that stay JSON.
void Retype(ipc::Value* value, std::mt19937& random) {
  static const ipc::Value kOthers[] = {
      nullptr, -1, 1e300, true, "text", ipc::Value::array({1}), ipc::Value::object({{"index", -7}}),
      "\xff"};
  while (value->is_structured() && !value->empty() && random() % 5 != 0) {
    auto member = value->begin();
    std::advance(member, random() % value->size());
    value = &*member;
  }
  *value = kOthers[random() % std::size(kOthers)];
}

TEST(HostileAnswers, MutatedBytesNeverCrash) {
  std::mt19937 random(20261123);
  for (const char* path : kRecorded) {
    const std::string recorded = ReadGolden(path);
    for (int i = 0; i < 100; ++i) {
      const std::string mutant = Mutate(recorded, random);
      for (const ProviderKind kind : kKinds) DecodeAllWays(kind, mutant);
    }
  }
}

TEST(HostileAnswers, ValuesOfTheWrongTypeNeverCrash) {
  std::mt19937 random(7);
  for (const char* path : kRecorded) {
    const ipc::Value recorded = ipc::Value::parse(ReadGolden(path));
    for (int i = 0; i < 100; ++i) {
      ipc::Value mutant = recorded;
      Retype(&mutant, random);
      const std::string body = mutant.dump(-1, ' ', false, ipc::Value::error_handler_t::replace);
      for (const ProviderKind kind : kKinds) DecodeAllWays(kind, body);
      if (!mutant.is_array()) continue;
      std::vector<std::string> events;
      for (const ipc::Value& event : mutant) {
        events.push_back(event.dump(-1, ' ', false, ipc::Value::error_handler_t::replace));
      }
      for (const ProviderKind kind : kKinds) Hear(kind, events);
    }
  }
}

TEST(HostileAnswers, DepthBombsAreRefusedEverywhere) {
  const std::string bomb = R"({"error":{"details":)" + std::string(200'000, '[');
  for (const ProviderKind kind : kKinds) DecodeAllWays(kind, bomb);
  const std::string closed =
      R"({"content":)" + std::string(5'000, '[') + std::string(5'000, ']') + "}";
  for (const ProviderKind kind : kKinds) EXPECT_FALSE(DialectOf(kind).Decode(closed));
}

TEST(HostileAnswers, AStateThatACallerMadeUpNeverCrashesTheEncoders) {
  for (const char* state :
       {R"({"provider":"gemini","parts":[{"bytes":3},{"bytes":99999999999},7,{"bytes":-1}]})",
        R"({"provider":"gemini","parts":{"a":1}})",
        R"({"provider":"anthropic","blocks":[{"text":-1},{"text":1e18},{"tool_use":1},7,null]})",
        R"({"provider":"anthropic","blocks":"x"})",
        R"({"provider":"openai","model":"gpt-4o","reasoning_details":7})", "[]", "7", "null"}) {
    ipc::Message said = Says(ipc::Role::kAssistant, "Hello.");
    said.provider_state = ipc::Value::parse(state);
    said.tool_calls = {Call("a", "f", "{}")};
    said.tool_calls[0].provider_state = said.provider_state;
    for (Asking asking : {AskGemini(), AskOpenAi(), AskAnthropic()}) {
      asking.Messages({Says(ipc::Role::kUser, "Hi"), said}).Request();
    }
  }
}

std::string TextEvent(ProviderKind kind, const std::string& text) {
  switch (kind) {
    case ProviderKind::kGemini:
      return R"({"candidates":[{"content":{"parts":[{"text":")" + text + R"("}]}}]})";
    case ProviderKind::kOpenAi:
      return R"({"choices":[{"index":0,"delta":{"content":")" + text + R"("}}]})";
    case ProviderKind::kAnthropic:
      break;
  }
  return R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")" + text +
         R"("}})";
}

TEST(LongAnswers, TenThousandDeltasOfAMegabyteAreAssembledWhole) {
  for (const ProviderKind kind : kKinds) {
    std::vector<std::string> events;
    if (kind == ProviderKind::kAnthropic) {
      events.push_back(
          R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
    }
    const std::string text(105, 'x');
    for (int i = 0; i < 10'000; ++i) events.push_back(TextEvent(kind, text));
    const auto begin = std::chrono::steady_clock::now();
    const Heard heard = Hear(kind, events);
    EXPECT_EQ(heard.deltas.size(), 10'000u);
    EXPECT_EQ(heard.answer.content.size(), 1'050'000u);
    // Linear work takes well below a second even under sanitizers; quadratic takes minutes.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  }
}

}  // namespace
}  // namespace requestrouter::upstream
