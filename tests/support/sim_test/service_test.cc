#include "tests/support/sim/schema.h"
#include "tests/support/sim_test/fixture.h"

namespace requestrouter::sim {
namespace {

using Simulator = ServiceTest;

std::string TextOf(const Json& body) {
  if (body.contains("candidates")) return body["candidates"][0]["content"]["parts"][0]["text"];
  if (body.contains("choices")) return body["choices"][0]["message"]["content"];
  return body["content"][0]["text"];
}

TEST_F(Simulator, RemembersANameFromTheHistory) {
  Json body = OpenAiText("My name is Ada, hello.");
  body["messages"].push_back({{"role", "assistant"}, {"content", "Hello."}});
  body["messages"].push_back({{"role", "user"}, {"content", "What is my name?"}});
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(body)))), "Your name is Ada.");
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(OpenAiText("What is my name?"))))),
            "I do not know your name.");
}

TEST_F(Simulator, CountsTheBytesOfImages) {
  Json body = OpenAiText("");
  body["messages"][0]["content"] = Json::array(
      {{{"type", "text"}, {"text", "look"}},
       {{"type", "image_url"}, {"image_url", {{"url", "data:image/png;base64,AAAAAA=="}}}}});
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(body)))), "I see 1 image of 4 bytes.");
}

TEST_F(Simulator, AnswersWithAValueOfTheSchema) {
  const Json schema = {
      {"type", "object"},
      {"properties",
       {{"title", {{"type", "string"}}},
        {"todos", {{"type", "array"}, {"minItems", 2}, {"items", {{"$ref", "#/$defs/todo"}}}}},
        {"extra", {{"type", "string"}}}}},
      {"required", {"title", "todos"}},
      {"additionalProperties", false},
      {"$defs", {{"todo", {{"enum", {"a", "b"}}}}}}};
  Json body = AnthropicText("x");
  body["output_config"] = {{"format", {{"type", "json_schema"}, {"schema", schema}}}};
  EXPECT_EQ(TextOf(Body(Ask(AnthropicRequest(body)))), R"({"title":"title","todos":["a","a"]})");
}

TEST(Schema, KeepsToBoundsAndEndsWhereItRefersToItself) {
  EXPECT_EQ(InstanceOf({{"type", "integer"}, {"minimum", 5}}), 5);
  EXPECT_EQ(InstanceOf({{"type", "integer"}, {"maximum", -5}}), -5);
  EXPECT_EQ(InstanceOf({{"type", "string"}, {"minLength", 8}}), "answer..");
  EXPECT_EQ(InstanceOf({{"type", {"null", "string"}}}), nullptr);
  EXPECT_EQ(InstanceOf({{"anyOf", Json::array({{{"const", 3}}, {{"const", 4}}})}}), 3);
  const Json endless = {{"type", "object"}, {"properties", {{"next", {{"$ref", "#"}}}}}};
  EXPECT_TRUE(InstanceOf(endless).is_object());
}

TEST_F(Simulator, EndsAtStopSequencesAndAtTheLimitOnOutput) {
  Json body = AnthropicText("one two three");
  body["stop_sequences"] = {"two"};
  Json answer = Body(Ask(AnthropicRequest(body)));
  EXPECT_EQ(TextOf(answer), "You said: one ");
  EXPECT_EQ(answer["stop_sequence"], "two");
  body = AnthropicText("one two three");
  body["max_tokens"] = 2;
  answer = Body(Ask(AnthropicRequest(body)));
  EXPECT_EQ(TextOf(answer), "You said");
  EXPECT_EQ(answer["stop_reason"], "max_tokens");
}

TEST_F(Simulator, EnforcesARateOfRequestsAtBothBoundariesInEveryDialect) {
  for (const HttpRequest& request : AllThree("x")) {
    Use({"k:rpm=2"});
    EXPECT_EQ(Ask(request).response.status, 200);
    EXPECT_EQ(Ask(request).response.status, 200);
    EXPECT_EQ(Ask(request).response.status, 429) << request.path;
    now_ += Millis(59'999);
    EXPECT_EQ(Ask(request).response.status, 429) << request.path;
    now_ += Millis(1);
    EXPECT_EQ(Ask(request).response.status, 200) << request.path;
  }
}

TEST_F(Simulator, KeysOfAGroupShareTheirLimitsAndModelsDoNot) {
  Use({"a:rpm=1,group=g", "b:rpm=1,group=g", "c:rpm=1"});
  const auto status = [&](const char* key, const char* model) {
    return Ask(GeminiRequest(GeminiText("x"), model, key)).response.status;
  };
  EXPECT_EQ(status("a", "m"), 200);
  EXPECT_EQ(status("b", "m"), 429);
  EXPECT_EQ(status("b", "n"), 200);
  EXPECT_EQ(status("c", "m"), 200);
}

TEST_F(Simulator, BillsWhatItAnsweredAndNothingElse) {
  Use({"k:rpm=2"});
  Ask(OpenAiRequest(OpenAiText("paid")));
  Control({{"faults", Json::array({{{"kind", "reset"}}})}});
  Ask(OpenAiRequest(OpenAiText("lost")));
  Ask(OpenAiRequest(OpenAiText("refused")));
  Ask(OpenAiRequest({{"model", "gpt-4o"}}));
  const Json stats = Stats();
  const Json& key = stats["keys"][0];
  EXPECT_EQ(key["requests"], 4);
  EXPECT_EQ(key["answered"], 1);
  EXPECT_EQ(key["faulted"], 1);
  EXPECT_EQ(key["rate_limited"], 1);
  EXPECT_EQ(key["rejected"], 1);
  EXPECT_EQ(key["input_tokens"], 1);
  EXPECT_EQ(stats["prompts"], (Json{{"paid", 1}}));
  EXPECT_EQ(stats["recent"][1]["outcome"], "reset");
  EXPECT_EQ(stats["recent"][1]["billed"], false);
  EXPECT_EQ(stats["in_flight"], 0);
}

TEST_F(Simulator, SaysHowMuchOfTheQuotaWasLeftUnused) {
  Use({"k:rpm=10"});
  Ask(OpenAiRequest(OpenAiText("x")));
  const auto rpm = [&] { return Stats()["keys"][0]["models"]["gpt-4o"]["limits"]["rpm"]; };
  EXPECT_EQ(rpm()["unused"], 9);
  now_ += Millis(60'000);
  EXPECT_EQ(rpm()["allowed"], 20);
  EXPECT_EQ(rpm()["unused"], 19);
  EXPECT_EQ(rpm()["used"], 0);
}

TEST_F(Simulator, AFaultMeetsOnlyWhatItMatchesAndOnlySoOften) {
  Use({"k", "other"});
  Control({{"faults", Json::array({{{"kind", "status:503"},
                                    {"count", 2},
                                    {"match", {{"key", "k"}, {"provider", "openai"}}}}})}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"), "other")).response.status, 200);
  EXPECT_EQ(Ask(AnthropicRequest(AnthropicText("x"))).response.status, 200);
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 503);
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 503);
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 200);
}

TEST_F(Simulator, AKeyIsRevokedAndRestored) {
  Use({"k"});
  Control({{"revoke", "k"}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 401);
  Control({{"restore", Json::array({"k"})}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 200);
  Control({{"faults", Json::array({{{"kind", "revoke"}}})}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 401);
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 401);
}

TEST_F(Simulator, LimitsChangeWhileItRuns) {
  Use({"k:rpm=1"});
  Ask(OpenAiRequest(OpenAiText("x")));
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 429);
  Control({{"limits", {{"key", "k"}, {"rpm", 2}}}});
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 200);
  EXPECT_EQ(Ask(OpenAiRequest(OpenAiText("x"))).response.status, 429);
}

TEST_F(Simulator, ABadControlChangesNothingAndSaysWhy) {
  EXPECT_EQ(Control({{"latency", 5}})["error"], "no such member: \"latency\"");
  EXPECT_TRUE(Control({{"answer_text", "x"}, {"faults", Json::array({{{"kind", "odd"}}})}})
                  .contains("error"));
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(OpenAiText("hi"))))), "You said: hi; this is turn 1.");
  EXPECT_TRUE(Control({{"answer_bytes", "many"}}).contains("error"));
}

TEST_F(Simulator, ResetIsAsAtTheStart) {
  Use({"k:rpm=1"});
  Control({{"answer_text", "fixed"}, {"revoke", "k"}});
  service_->Handle({"/_sim/reset", "", {}, ""}, now_);
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(OpenAiText("hi"))))), "You said: hi; this is turn 1.");
  EXPECT_EQ(Stats()["totals"]["requests"], 1);
}

TEST_F(Simulator, AnAnswerHasTheSizeAndThePiecesThatItIsToldTo) {
  Control({{"answer_bytes", 100'000}, {"stream_deltas", 1000}});
  Json body = OpenAiText("x");
  EXPECT_EQ(TextOf(Body(Ask(OpenAiRequest(body)))).size(), 100'000u);
  body["stream"] = true;
  EXPECT_EQ(Ask(OpenAiRequest(body)).pieces.size(), 1000u + 3);
}

TEST(Pieces, NeverCutACharacter) {
  const std::string text = "äöü€😀";
  for (std::size_t count = 1; count < 16; ++count) {
    std::string joined;
    for (const std::string& piece : Pieces(text, count)) {
      EXPECT_NE(static_cast<unsigned char>(piece[0]) & 0xC0, 0x80);
      joined += piece;
    }
    EXPECT_EQ(joined, text);
  }
}

TEST(KeyFlag, IsReadOrRefusedWithWhatIsWrong) {
  const auto key = ParseKeyFlag("se:cret:rpm=10,group=g,minute_ms=500,models=a,models=b");
  ASSERT_TRUE(key) << key.error();
  EXPECT_EQ(key->secret, "se:cret");
  EXPECT_EQ(key->limits[Limit::kRpm], 10);
  EXPECT_EQ(key->limits.minute, Millis(500));
  EXPECT_EQ(key->models.size(), 2u);
  EXPECT_EQ(ParseKeyFlag("s:rmp=1").error(), "keys: no such setting: \"rmp\"");
  EXPECT_EQ(ParseKeyFlag("s:rpm=-1").error(), "keys: rpm: a whole number, not negative");
  EXPECT_EQ(ParseKeyFlag("").error(), "keys: secret: missing");
}

}  // namespace
}  // namespace requestrouter::sim
