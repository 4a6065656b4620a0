#include "tests/support/sim_test/fixture.h"

namespace requestrouter::sim {
namespace {

using Anthropic = ServiceTest;

Json Block(const char* type, const Json& fields) {
  Json block = {{"type", type}};
  block.update(fields);
  return block;
}
Json Turn(const char* role, Json content) {
  return {{"role", role}, {"content", std::move(content)}};
}

TEST_F(Anthropic, AnswersInTheShapeOfAMessage) {
  const Json body = Body(Ask(AnthropicRequest(AnthropicText("hello"))));
  EXPECT_EQ(body["type"], "message");
  EXPECT_EQ(body["content"][0]["text"], "You said: hello; this is turn 1.");
  EXPECT_EQ(body["stop_reason"], "end_turn");
  EXPECT_EQ(body["usage"]["input_tokens"], 2);
  EXPECT_EQ(body["usage"]["output_tokens"], 8);
}

TEST_F(Anthropic, StreamsTheFullSequenceOfEvents) {
  Json body = AnthropicText("hello");
  body["stream"] = true;
  const Reply reply = Ask(AnthropicRequest(body));
  std::vector<std::string> types;
  std::string text;
  for (std::size_t i = 0; i < reply.pieces.size(); ++i) {
    const Json data = Json::parse(Data(reply)[i]);
    const std::string type = data["type"];
    EXPECT_EQ(reply.pieces[i].rfind("event: " + type + "\n", 0), 0u);
    if (types.empty() || types.back() != type) types.push_back(type);
    if (type == "content_block_delta") text += data["delta"]["text"];
    if (type == "message_delta") {
      EXPECT_EQ(data["usage"]["output_tokens"], 8);
    }
  }
  EXPECT_EQ(types, (std::vector<std::string>{"message_start", "content_block_start", "ping",
                                             "content_block_delta", "content_block_stop",
                                             "message_delta", "message_stop"}));
  EXPECT_EQ(text, "You said: hello; this is turn 1.");
}

TEST_F(Anthropic, SaysA429WithRetryAfterAndWhatIsLeftOfEachLimit) {
  Use({"k:rpm=1,itpm=100,otpm=100"});
  const Reply first = Ask(AnthropicRequest(AnthropicText("hello")));
  EXPECT_EQ(Header(first, "anthropic-ratelimit-requests-remaining"), "0");
  EXPECT_EQ(Header(first, "anthropic-ratelimit-input-tokens-remaining"), "98");
  EXPECT_EQ(Header(first, "anthropic-ratelimit-output-tokens-remaining"), "92");
  EXPECT_EQ(Header(first, "anthropic-ratelimit-requests-reset").size(), 20u);
  now_ += Millis(100);
  const Reply reply = Ask(AnthropicRequest(AnthropicText("hello")));
  EXPECT_EQ(reply.response.status, 429);
  EXPECT_EQ(Body(reply)["error"]["type"], "rate_limit_error");
  EXPECT_EQ(Header(reply, "retry-after"), "60");
}

TEST_F(Anthropic, CachedInputIsSaidApartAndFreeOfTheLimit) {
  Use({"k:itpm=2"});
  Control({{"cached_tokens", 1}});
  const Json usage = Body(Ask(AnthropicRequest(AnthropicText("hello"))))["usage"];
  EXPECT_EQ(usage["input_tokens"], 1);
  EXPECT_EQ(usage["cache_read_input_tokens"], 1);
  EXPECT_EQ(Ask(AnthropicRequest(AnthropicText("hello"))).response.status, 200);
  EXPECT_EQ(Ask(AnthropicRequest(AnthropicText("hello"))).response.status, 429);
}

TEST_F(Anthropic, TellsOverloadSpentCreditAndWrongKeysApart) {
  Use({"k"});
  Control({{"faults", Json::array({{{"kind", "status"}, {"status", 529}}})}});
  const Reply overloaded = Ask(AnthropicRequest(AnthropicText("x")));
  EXPECT_EQ(overloaded.response.status, 529);
  EXPECT_EQ(Body(overloaded)["error"]["type"], "overloaded_error");
  Control({{"no_credit", "k"}});
  const Reply broke = Ask(AnthropicRequest(AnthropicText("x")));
  EXPECT_EQ(broke.response.status, 400);
  EXPECT_NE(broke.response.body.find("credit balance is too low"), std::string::npos);
  const Reply wrong = Ask(AnthropicRequest(AnthropicText("x"), "other"));
  EXPECT_EQ(wrong.response.status, 401);
  EXPECT_EQ(Body(wrong)["error"]["type"], "authentication_error");
}

TEST_F(Anthropic, RefusesWhatTheProviderRefuses) {
  const auto message = [&](const Json& changes) {
    Json body = AnthropicText("x");
    body.update(changes);
    const Reply reply = Ask(AnthropicRequest(body));
    EXPECT_EQ(reply.response.status, 400) << Dump(changes);
    return Body(reply)["error"]["message"].get<std::string>();
  };
  EXPECT_EQ(message({{"max_tokens", nullptr}}), "max_tokens: Field required");
  EXPECT_EQ(message({{"messages", Json::array()}}), "messages: at least one message is required");
  EXPECT_EQ(message({{"messages", Json::array({Turn("system", "x")})}}),
            "messages.0.role: Input should be 'user' or 'assistant'");
  EXPECT_EQ(message({{"messages", Json::array({Turn("assistant", "x")})}}),
            "messages: first message must use the \"user\" role");
  EXPECT_EQ(message({{"nonsense", 1}}), "nonsense: Extra inputs are not permitted");
  EXPECT_EQ(message({{"temperature", 1.1}}), "temperature: range: 0..1");
  HttpRequest unversioned = AnthropicRequest(AnthropicText("x"));
  unversioned.headers.pop_back();
  EXPECT_EQ(Body(Ask(unversioned))["error"]["message"], "anthropic-version: header is required");
}

TEST_F(Anthropic, ThinkingComesBackUnchangedOrNotAtAll) {
  Json body = AnthropicText("hello");
  body["max_tokens"] = 2000;
  body["thinking"] = {{"type", "enabled"}, {"budget_tokens", 1024}};
  Json content = Body(Ask(AnthropicRequest(body)))["content"];
  ASSERT_EQ(content[0]["type"], "thinking");
  body["messages"].push_back(Turn("assistant", content));
  body["messages"].push_back(Turn("user", "and now?"));
  EXPECT_EQ(Body(Ask(AnthropicRequest(body)))["content"][1]["text"],
            "You said: and now?; this is turn 2.");
  body["messages"][1]["content"][0]["thinking"] = "altered";
  EXPECT_EQ(Ask(AnthropicRequest(body)).response.status, 400);
  body["max_tokens"] = 1024;
  EXPECT_EQ(Ask(AnthropicRequest(body)).response.status, 400);
}

TEST_F(Anthropic, ToolResultsMustAnswerTheTurnBefore) {
  Json body = AnthropicText("call f");
  body["tools"] = Json::array({{{"name", "f"}, {"input_schema", {{"type", "object"}}}}});
  const Json answer = Body(Ask(AnthropicRequest(body)));
  EXPECT_EQ(answer["stop_reason"], "tool_use");
  body["messages"].push_back(Turn("assistant", answer["content"]));
  EXPECT_EQ(Ask(AnthropicRequest(body)).response.status, 400);
  const auto result = [](const Json& id) {
    return Turn("user",
                Json::array({Block("tool_result", {{"tool_use_id", id}, {"content", "7"}})}));
  };
  Json wrong = body;
  wrong["messages"].push_back(result("another"));
  EXPECT_EQ(Ask(AnthropicRequest(wrong)).response.status, 400);
  body["messages"].push_back(result(answer["content"][0]["id"]));
  EXPECT_EQ(Body(Ask(AnthropicRequest(body)))["content"][0]["text"], "The tool said: 7.");
}

}  // namespace
}  // namespace requestrouter::sim
