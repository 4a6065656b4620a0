#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payloads.h"

namespace requestrouter::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Value Prompt(const char* key, Value value) {
  Value body = {{"prompt", "hello"}};
  body[key] = std::move(value);
  return body;
}

Value Messages(Value messages) { return {{"messages", std::move(messages)}}; }

Value Image(Value image) {
  return Messages({{{"role", "user"}, {"content", Value::array({std::move(image)})}}});
}

TEST(DecodeChat, APromptIsAUserMessageAndTheRestHasDefaults) {
  const ChatRequest chat = DecodeChat({{"prompt", "hello"}});
  EXPECT_THAT(chat.messages, ElementsAre(TextMessage(Role::kUser, "hello")));
  EXPECT_EQ(chat.conv_id, "");
  EXPECT_FALSE(chat.system_prompt);
  EXPECT_EQ(chat.workload, Workload::kAuto);
  EXPECT_FALSE(chat.allow_fallback);
  EXPECT_EQ(chat.expected_completion_tokens, 512);
  EXPECT_EQ(chat.max_output_tokens, 2048);
  EXPECT_EQ(chat.temperature, 0.7);
  EXPECT_EQ(chat.priority, Priority::kNormal);
  EXPECT_EQ(chat.on_unknown, OnUnknown::kResend);
  EXPECT_FALSE(chat.max_wait_ms);
  EXPECT_FALSE(chat.stream);
  EXPECT_FALSE(chat.progress);
}

TEST(DecodeChat, NeedsExactlyOneOfPromptAndMessages) {
  const std::string expected = "body.prompt: exactly one of prompt and messages is required";
  EXPECT_EQ(ChatMistake(Value::object()), expected);
  EXPECT_EQ(ChatMistake(Prompt("messages", Value::array())), expected);
  EXPECT_EQ(ChatMistake(Messages(Value::array())), "body.messages: must not be empty");
}

TEST(DecodeChat, ReadsAToolLoop) {
  const ChatRequest chat = DecodeChat(Messages({
      {{"role", "system"}, {"content", "Be brief."}},
      {{"role", "user"}, {"content", {{{"type", "text"}, {"text", "Weather?"}}}}},
      {{"role", "assistant"},
       {"tool_calls", {{{"id", "c-1"}, {"name", "weather"}, {"arguments", "{}"}}}},
       {"provider_state", {{"signature", "s"}}}},
      {{"role", "tool"}, {"tool_call_id", "c-1"}, {"content", "sunny"}},
  }));
  ASSERT_EQ(chat.messages.size(), 4u);
  EXPECT_EQ(chat.messages[0], TextMessage(Role::kSystem, "Be brief."));
  EXPECT_EQ(chat.messages[1], TextMessage(Role::kUser, "Weather?"));
  EXPECT_THAT(chat.messages[2].tool_calls, ElementsAre(ToolCall{"c-1", "weather", "{}", nullptr}));
  EXPECT_EQ(chat.messages[2].provider_state, (Value{{"signature", "s"}}));
  EXPECT_EQ(chat.messages[3].tool_call_id, "c-1");
}

TEST(DecodeChat, AToolResultNeedsAnEarlierCallUnlessTheHistoryMayHaveIt) {
  Value body = Messages({{{"role", "tool"}, {"tool_call_id", "c-1"}, {"content", "sunny"}}});
  EXPECT_EQ(ChatMistake(body),
            "body.messages[0].tool_call_id: no earlier tool call has the id \"c-1\"");
  body["conv_id"] = "planner_1";
  EXPECT_EQ(DecodeChat(body).messages.size(), 1u);
}

TEST(DecodeChat, AToolCallAfterItsResultIsNoEarlierOne) {
  EXPECT_THAT(ChatMistake(Messages({
                  {{"role", "tool"}, {"tool_call_id", "c-1"}, {"content", "sunny"}},
                  {{"role", "assistant"}, {"tool_calls", {{{"id", "c-1"}, {"name", "weather"}}}}},
              })),
              StartsWith("body.messages[0].tool_call_id: no earlier"));
}

TEST(DecodeChat, NamesTheKeyOfAMessageThatIsWrong) {
  const auto mistake = [](Value message) {
    return ChatMistake(Messages({{{"role", "user"}, {"content", "x"}}, std::move(message)}));
  };
  EXPECT_EQ(mistake("hello"), "body.messages[1]: must be a map, is a str");
  EXPECT_EQ(mistake({{"content", "x"}}), "body.messages[1].role: is required");
  EXPECT_EQ(mistake({{"role", "human"}, {"content", "x"}}),
            "body.messages[1].role: must be one of system, user, assistant, tool, is \"human\"");
  EXPECT_THAT(mistake({{"role", "user"}}), StartsWith("body.messages[1].content: is required"));
  EXPECT_THAT(mistake({{"role", "user"}, {"content", Value::array()}}),
              StartsWith("body.messages[1].content: is required"));
  EXPECT_EQ(mistake({{"role", "user"}, {"content", 7}}),
            "body.messages[1].content: must be a str or an array of parts, is an int");
  EXPECT_EQ(mistake({{"role", "user"}, {"content", {{{"type", "audio"}}}}}),
            "body.messages[1].content[0].type: must be one of text, image, is \"audio\"");
  EXPECT_EQ(mistake({{"role", "user"}, {"content", {{{"type", "text"}}}}}),
            "body.messages[1].content[0].text: is required");
}

TEST(DecodeChat, CallsAndResultsBelongToTheirRoles) {
  const Value calls = {{{"id", "c-1"}, {"name", "weather"}}};
  EXPECT_EQ(ChatMistake(Messages({{{"role", "user"}, {"content", "x"}, {"tool_calls", calls}}})),
            "body.messages[0].tool_calls: only an assistant message has them");
  EXPECT_EQ(ChatMistake(Messages({{{"role", "user"}, {"content", "x"}, {"tool_call_id", "c-1"}}})),
            "body.messages[0].tool_call_id: only a tool message has one");
  EXPECT_EQ(ChatMistake(Messages({{{"role", "tool"}, {"content", "x"}}})),
            "body.messages[0].tool_call_id: is required in a tool message");
  EXPECT_EQ(ChatMistake(Messages({{{"role", "assistant"}, {"tool_calls", {{{"id", "c-1"}}}}}})),
            "body.messages[0].tool_calls[0].name: is required: a str of at least 1 byte");
}

TEST(DecodeChat, AnImageIsItsBytesOrItsAddress) {
  const Value bytes = Value::binary({1, 2, 3});
  const ChatRequest by_bytes =
      DecodeChat(Image({{"type", "image"}, {"mime_type", "image/png"}, {"data", bytes}}));
  EXPECT_EQ(by_bytes.messages[0].parts[0], Part(ImagePart{"image/png", "\x01\x02\x03", ""}));
  const ChatRequest by_address = DecodeChat(Image({{"type", "image"}, {"url", "https://x/y.png"}}));
  EXPECT_EQ(by_address.messages[0].parts[0], Part(ImagePart{"", "", "https://x/y.png"}));

  const std::string at = "body.messages[0].content[0].";
  EXPECT_THAT(ChatMistake(Image({{"type", "image"}})), StartsWith(at + "data: exactly one of"));
  EXPECT_THAT(
      ChatMistake(Image(
          {{"type", "image"}, {"mime_type", "image/png"}, {"data", bytes}, {"url", "https://x"}})),
      StartsWith(at + "data: exactly one of"));
  EXPECT_THAT(ChatMistake(Image({{"type", "image"}, {"data", bytes}})),
              StartsWith(at + "mime_type: is required"));
  EXPECT_EQ(ChatMistake(Image({{"type", "image"}, {"mime_type", "image/png"}, {"data", "AQID"}})),
            at + "data: must be a bin, is a str");
}

TEST(DecodeChat, ReadsWhatChoosesTheRoute) {
  const ChatRequest chat = DecodeChat({{"prompt", "x"},
                                       {"conv_id", "planner_1"},
                                       {"system_prompt", ""},
                                       {"model_preference", "gemini-2.5-pro"},
                                       {"workload", "heavy"},
                                       {"allow_fallback", false},
                                       {"key_id", "gemini-01"},
                                       {"priority", "batch"},
                                       {"max_wait_ms", 0},
                                       {"on_unknown", "fail"},
                                       {"stream", true},
                                       {"progress", true},
                                       {"user_id", "u"},
                                       {"agent", "planner"},
                                       {"metadata", {{"ticket", 7}}}});
  EXPECT_EQ(chat.conv_id, "planner_1");
  EXPECT_EQ(chat.system_prompt, "");
  EXPECT_EQ(chat.model_preference, "gemini-2.5-pro");
  EXPECT_EQ(chat.workload, Workload::kHeavy);
  EXPECT_EQ(chat.allow_fallback, false);
  EXPECT_EQ(chat.key_id, "gemini-01");
  EXPECT_EQ(chat.priority, Priority::kBatch);
  EXPECT_EQ(chat.max_wait_ms, 0);
  EXPECT_EQ(chat.on_unknown, OnUnknown::kFail);
  EXPECT_TRUE(chat.stream);
  EXPECT_TRUE(chat.progress);
  EXPECT_EQ(chat.user_id, "u");
  EXPECT_EQ(chat.agent, "planner");
  EXPECT_EQ(chat.metadata, (Value{{"ticket", 7}}));
}

TEST(DecodeChat, ReadsWhatIsPassedOnToTheProvider) {
  const ChatRequest chat =
      DecodeChat({{"prompt", "x"},
                  {"expected_completion_tokens", 100},
                  {"max_output_tokens", 200},
                  {"temperature", 0},
                  {"top_p", 0.5},
                  {"seed", -7},
                  {"stop", {"a", "b"}},
                  {"reasoning", {{"budget_tokens", 0}}},
                  {"provider_options", {{"gemini", {{"topK", 1}}}}},
                  {"response_format",
                   {{"type", "json_schema"}, {"name", "n"}, {"schema", {{"z", 1}, {"a", 2}}}}}});
  EXPECT_EQ(chat.expected_completion_tokens, 100);
  EXPECT_EQ(chat.max_output_tokens, 200);
  EXPECT_EQ(chat.temperature, 0.0);
  EXPECT_EQ(chat.top_p, 0.5);
  EXPECT_EQ(chat.seed, -7);
  EXPECT_THAT(chat.stop, ElementsAre("a", "b"));
  EXPECT_EQ(chat.reasoning->budget_tokens, 0);
  EXPECT_EQ(chat.provider_options, (Value{{"gemini", {{"topK", 1}}}}));
  EXPECT_EQ(chat.response_format.kind, ResponseFormat::Kind::kJsonSchema);
  EXPECT_EQ(chat.response_format.schema.dump(), R"({"z":1,"a":2})") << "in the order given";
}

TEST(DecodeChat, OneStopSequenceNeedsNoArray) {
  EXPECT_THAT(DecodeChat(Prompt("stop", "END")).stop, ElementsAre("END"));
  EXPECT_EQ(ChatMistake(Prompt("stop", {"a", 7})),
            "body.stop[1]: must be a str of 1 to 1024 bytes, is an int");
  EXPECT_EQ(ChatMistake(Prompt("stop", {""})),
            "body.stop[0]: must be a str of 1 to 1024 bytes, is a str of 0");
  EXPECT_EQ(DecodeChat(Prompt("stop", Value::array())).stop.size(), 0u);
}

TEST(DecodeChat, ReadsToolsAndTheChoiceAmongThem) {
  Value body = Prompt(
      "tools", {{{"name", "weather"}, {"description", "d"}, {"parameters", {{"type", "object"}}}}});
  EXPECT_EQ(DecodeChat(body).tools.at(0).name, "weather");
  EXPECT_EQ(DecodeChat(body).tool_choice.mode, ToolChoice::Mode::kAuto);
  body["tool_choice"] = "required";
  EXPECT_EQ(DecodeChat(body).tool_choice.mode, ToolChoice::Mode::kRequired);
  body["tool_choice"] = {{"name", "weather"}};
  EXPECT_EQ(DecodeChat(body).tool_choice.name, "weather");
  body["tool_choice"] = {{"name", "time"}};
  EXPECT_EQ(ChatMistake(body), "body.tool_choice: there is no tool named \"time\"");
  body["tool_choice"] = "any";
  EXPECT_EQ(ChatMistake(body),
            "body.tool_choice: must be one of auto, none, required, {name}, is \"any\"");
  EXPECT_EQ(ChatMistake(Prompt("tool_choice", "required")),
            "body.tool_choice: requires a tool, but there are no tools");
  EXPECT_EQ(DecodeChat(Prompt("tool_choice", "none")).tool_choice.mode, ToolChoice::Mode::kNone);
}

TEST(DecodeChat, TwoToolsOfOneNameContradictEachOther) {
  EXPECT_EQ(ChatMistake(Prompt("tools", {{{"name", "weather"}}, {{"name", "weather"}}})),
            "body.tools: two of them are named \"weather\"");
}

TEST(DecodeChat, ReasoningIsAnEffortOrABudget) {
  EXPECT_EQ(DecodeChat(Prompt("reasoning", {{"effort", "high"}})).reasoning->effort, Effort::kHigh);
  const std::string one =
      "body.reasoning.effort: exactly one of effort and budget_tokens is required";
  EXPECT_EQ(ChatMistake(Prompt("reasoning", Value::object())), one);
  EXPECT_EQ(ChatMistake(Prompt("reasoning", {{"effort", "low"}, {"budget_tokens", 1}})), one);
  EXPECT_THAT(ChatMistake(Prompt("reasoning", {{"effort", "most"}})),
              StartsWith("body.reasoning.effort: must be one of low, medium, high, is \"most\""));
}

struct Wrong {
  const char* key;
  Value value;
  const char* message;
};

TEST(DecodeChat, EveryKeyIsCheckedAndNamed) {
  const std::vector<Wrong> wrongs = {
      {"prompt", 7, "body.prompt: must be a str, is an int"},
      {"conv_id", 7, "body.conv_id: must be a str, is an int"},
      {"conv_id", std::string(257, 'x'), "body.conv_id: must be at most 256 bytes, is 257"},
      {"system_prompt", 7, "body.system_prompt: must be a str, is an int"},
      {"model_preference", 7, "body.model_preference: must be a str, is an int"},
      {"workload", "huge", "body.workload: must be one of light, medium, heavy, auto, is \"huge\""},
      {"workload", 7, "body.workload: must be a str, is an int"},
      {"allow_fallback", 1, "body.allow_fallback: must be a bool, is an int"},
      {"expected_completion_tokens", -1,
       "body.expected_completion_tokens: must be an int from 0 to 100000000, is -1"},
      {"max_output_tokens", 0, "body.max_output_tokens: must be an int from 1 to 100000000, is 0"},
      {"max_output_tokens", 1e300,
       "body.max_output_tokens: must be an int from 1 to 100000000, is 1e+300"},
      {"temperature", 2.1, "body.temperature: must be from 0.0 to 2.0, is 2.1"},
      {"temperature", -0.1, "body.temperature: must be from 0.0 to 2.0, is -0.1"},
      {"temperature", "hot", "body.temperature: must be a number, is a str"},
      {"top_p", 1.1, "body.top_p: must be from 0.0 to 1.0, is 1.1"},
      {"stop", 7, "body.stop: must be an array, is an int"},
      {"seed", 0.5,
       "body.seed: must be an int from -9223372036854775808 to 9223372036854775807, is 0.5"},
      {"response_format", "json", "body.response_format: must be a map, is a str"},
      {"response_format",
       {{"type", "xml"}},
       "body.response_format.type: must be one of text, json_object, json_schema, is \"xml\""},
      {"response_format",
       {{"type", "json_schema"}, {"name", "n"}},
       "body.response_format.schema: is required: a map, the JSON schema"},
      {"response_format",
       {{"type", "json_schema"}, {"schema", Value::object()}},
       "body.response_format.name: is required: a str of at least 1 byte"},
      {"tools", {{"name", "x"}}, "body.tools: must be an array, is a map"},
      {"tools", Value::array({Value::object()}),
       "body.tools[0].name: is required: a str of at least 1 byte"},
      {"tool_choice", 7, "body.tool_choice: must be a str, is an int"},
      {"reasoning", "high", "body.reasoning: must be a map, is a str"},
      {"provider_options", 7, "body.provider_options: must be a map, is an int"},
      {"provider_options",
       {{"openai", 7}},
       "body.provider_options.openai: must be a map, is an int"},
      {"on_unknown", "retry", "body.on_unknown: must be one of resend, fail, is \"retry\""},
      {"stream", "yes", "body.stream: must be a bool, is a str"},
      {"progress", 1, "body.progress: must be a bool, is an int"},
      {"priority", "urgent",
       "body.priority: must be one of interactive, normal, batch, is \"urgent\""},
      {"key_id", std::string(257, 'x'), "body.key_id: must be at most 256 bytes, is 257"},
      {"max_wait_ms", -1, "body.max_wait_ms: must be an int from 0 to 86400000, is -1"},
      {"user_id", std::string(257, 'x'), "body.user_id: must be at most 256 bytes, is 257"},
      {"agent", 7, "body.agent: must be a str, is an int"},
      {"metadata", "x", "body.metadata: must be a map, is a str"},
  };
  for (const Wrong& wrong : wrongs) {
    EXPECT_EQ(ChatMistake(Prompt(wrong.key, wrong.value)), wrong.message) << wrong.key;
  }
}

TEST(DecodeChat, AnAnswerInTextWithToolsAsTheModelLikesIsTheDefault) {
  const ChatRequest chat = DecodeChat(
      {{"prompt", "x"}, {"response_format", {{"type", "text"}}}, {"tool_choice", "auto"}});
  EXPECT_EQ(chat.response_format.kind, ResponseFormat::Kind::kText);
  EXPECT_EQ(chat.tool_choice.mode, ToolChoice::Mode::kAuto);
}

TEST(DecodeChat, TakesAsManyStopSequencesOfAsManyBytesAsTheBoundsAndNoMore) {
  EXPECT_EQ(DecodeChat(Prompt("stop", std::vector<std::string>(64, "END"))).stop.size(), 64u);
  EXPECT_EQ(ChatMistake(Prompt("stop", std::vector<std::string>(65, "END"))),
            "body.stop: must have at most 64 elements, has 65");
  const std::string longest(1'024, 'x');
  EXPECT_THAT(DecodeChat(Prompt("stop", Value::array({longest}))).stop, ElementsAre(longest));
  EXPECT_EQ(ChatMistake(Prompt("stop", Value::array({longest + "x"}))),
            "body.stop[0]: must be a str of 1 to 1024 bytes, is a str of 1025");
}

TEST(DecodeChat, TheFirstMistakeIsTold) {
  Value body = {{"prompt", 7}, {"response_format", "json"}, {"stop", 7}};
  EXPECT_EQ(ChatMistake(body), "body.prompt: must be a str, is an int");
  body["prompt"] = "x";
  EXPECT_THAT(ChatMistake(body), StartsWith("body.stop: "));
  body["stop"] = nullptr;
  EXPECT_EQ(ChatMistake(body), "body.response_format: must be a map, is a str");
}

TEST(DecodeChat, QuotesOnlyTheBeginningOfWhatCame) {
  const std::string message = ChatMistake(Prompt("workload", std::string(100'000, 'x')));
  EXPECT_LT(message.size(), 200u);
  EXPECT_THAT(message, HasSubstr("xxx...\""));
}

TEST(DecodeChat, AFallbackIsNeitherAllowedNorForbiddenWhereNilCame) {
  EXPECT_FALSE(DecodeChat(Prompt("allow_fallback", nullptr)).allow_fallback);
}

TEST(TextOf, JoinsTheTextPartsOfAMessage) {
  Message message = TextMessage(Role::kUser, "one ");
  message.parts.emplace_back(ImagePart{"", "", "https://x"});
  message.parts.emplace_back(TextPart{"two"});
  EXPECT_EQ(TextOf(message), "one two");
}

}  // namespace
}  // namespace requestrouter::ipc
