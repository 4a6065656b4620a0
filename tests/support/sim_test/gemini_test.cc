#include "tests/support/sim_test/fixture.h"

namespace requestrouter::sim {
namespace {

using Gemini = ServiceTest;

Json Content(const char* role, Json parts) { return {{"role", role}, {"parts", std::move(parts)}}; }
Json Parts(Json part) { return Json::array({std::move(part)}); }

TEST_F(Gemini, AnswersInTheShapeOfGenerateContent) {
  const Json body = Body(Ask(GeminiRequest(GeminiText("hello"))));
  const Json& candidate = body["candidates"][0];
  EXPECT_EQ(candidate["content"]["parts"][0]["text"], "You said: hello; this is turn 1.");
  EXPECT_EQ(candidate["content"]["role"], "model");
  EXPECT_EQ(candidate["finishReason"], "STOP");
  EXPECT_EQ(body["usageMetadata"]["promptTokenCount"], 2);
  EXPECT_EQ(body["usageMetadata"]["candidatesTokenCount"], 8);
  EXPECT_EQ(body["usageMetadata"]["totalTokenCount"], 10);
}

TEST_F(Gemini, StreamsWithAltSseAndSaysWhyItEndedInTheLastEventOnly) {
  HttpRequest request = GeminiRequest(GeminiText("hello"));
  request.path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent";
  request.query = "alt=sse";
  const Reply reply = Ask(request);
  EXPECT_EQ(Header(reply, "content-type"), "text/event-stream");
  std::string text;
  const auto events = Data(reply);
  for (const std::string& event : events) {
    const Json candidate = Json::parse(event)["candidates"][0];
    text += candidate["content"]["parts"][0]["text"];
    EXPECT_EQ(candidate.contains("finishReason"), &event == &events.back());
  }
  EXPECT_EQ(text, "You said: hello; this is turn 1.");
  EXPECT_EQ(reply.pieces.front().substr(reply.pieces.front().size() - 4), "\r\n\r\n");
}

TEST_F(Gemini, RefusesAKeyInTheUrlEvenIfItIsValid) {
  HttpRequest request = GeminiRequest(GeminiText("hello"));
  request.query = "key=k";
  const Reply reply = Ask(request);
  EXPECT_EQ(reply.response.status, 400);
  EXPECT_NE(reply.response.body.find("KEY WAS SENT IN THE URL"), std::string::npos);
  EXPECT_EQ(Stats()["keys_in_urls"], 1);
}

TEST_F(Gemini, SaysA429WithQuotaFailureHelpAndRetryInfoWithFractions) {
  Use({"k:rpm=1"});
  Ask(GeminiRequest(GeminiText("one")));
  now_ += Millis(500);
  const Reply reply = Ask(GeminiRequest(GeminiText("two")));
  EXPECT_EQ(reply.response.status, 429);
  const Json error = Body(reply)["error"];
  EXPECT_EQ(error["status"], "RESOURCE_EXHAUSTED");
  const Json& violation = error["details"][0]["violations"][0];
  EXPECT_EQ(violation["quotaId"], "GenerateRequestsPerMinutePerProjectPerModel-FreeTier");
  EXPECT_EQ(violation["quotaValue"], "1");
  EXPECT_EQ(error["details"][1]["@type"], "type.googleapis.com/google.rpc.Help");
  EXPECT_EQ(error["details"][2]["retryDelay"], "59.500000000s");
  now_ += Millis(500);
  EXPECT_EQ(Body(Ask(GeminiRequest(GeminiText("x"))))["error"]["details"][2]["retryDelay"], "59s");
}

TEST_F(Gemini, ASpentDayIsNamedPerDayWithADelayThatMeansNothing) {
  Use({"k:rpd=1"});
  Ask(GeminiRequest(GeminiText("one")));
  const Json details = Body(Ask(GeminiRequest(GeminiText("two"))))["error"]["details"];
  EXPECT_EQ(details[0]["violations"][0]["quotaId"],
            "GenerateRequestsPerDayPerProjectPerModel-FreeTier");
  EXPECT_EQ(details[2]["retryDelay"], "0s");
}

TEST_F(Gemini, AnInvalidKeyIsA400WithItsReasonAndNoKeyA403) {
  Use({"k"});
  const Reply invalid = Ask(GeminiRequest(GeminiText("hello"), "m", "other"));
  EXPECT_EQ(invalid.response.status, 400);
  EXPECT_EQ(Body(invalid)["error"]["details"][0]["reason"], "API_KEY_INVALID");
  EXPECT_EQ(Ask(GeminiRequest(GeminiText("hello"), "m", "")).response.status, 403);
}

TEST_F(Gemini, RefusesWhatTheProviderRefuses) {
  const auto message = [&](const Json& body, const char* model = "gemini-2.5-flash") {
    const Reply reply = Ask(GeminiRequest(body, model));
    EXPECT_EQ(reply.response.status, 400) << Dump(body);
    return Body(reply)["error"]["message"].get<std::string>();
  };
  EXPECT_NE(message({{"contents", Json::array()}}).find("contents is not specified"),
            std::string::npos);
  EXPECT_NE(message({{"nonsense", 1}}).find("Unknown name \"nonsense\""), std::string::npos);
  EXPECT_EQ(message({{"contents", Parts(Content("assistant", Parts({{"text", "x"}})))}}),
            "Please use a valid role: user, model.");
  EXPECT_NE(
      message({{"contents", Parts(Content("user", Json::array()))}}).find("must not be empty"),
      std::string::npos);
  Json odd = GeminiText("x");
  odd["generationConfig"] = {{"temperature", 2.1}};
  EXPECT_NE(message(odd).find("temperature"), std::string::npos);
  const Json call =
      Content("model", Parts({{"functionCall", {{"name", "f"}, {"args", Json::object()}}}}));
  EXPECT_NE(message({{"contents", Json::array({GeminiText("x")["contents"][0], call})}})
                .find("number of function response parts"),
            std::string::npos);
}

TEST_F(Gemini, Gemini3WantsTheSignatureOfACallInTheCurrentTurnBack) {
  Json call = {{"functionCall", {{"name", "f"}, {"args", Json::object()}}}};
  const auto ask = [&](const char* model) {
    const Json result = {{"functionResponse", {{"name", "f"}, {"response", {{"result", "7"}}}}}};
    return Ask(GeminiRequest(
        {{"contents", Json::array({GeminiText("x")["contents"][0], Content("model", Parts(call)),
                                   Content("user", Parts(result))})}},
        model));
  };
  EXPECT_EQ(ask("gemini-3-pro-preview").response.status, 400);
  EXPECT_EQ(ask("gemini-2.5-flash").response.status, 200);
  call["thoughtSignature"] = SignatureOf("f");
  const Reply reply = ask("gemini-3-pro-preview");
  EXPECT_EQ(Body(reply)["candidates"][0]["content"]["parts"][0]["text"], "The tool said: 7.");
  call["thoughtSignature"] = "made+up=";
  EXPECT_EQ(ask("gemini-2.5-flash").response.status, 400);
}

TEST_F(Gemini, CallsToolsWithASignatureOnTheFirstOnly) {
  Json body = GeminiText("call f and call g, not call figs");
  body["tools"] = Parts(
      {{"functionDeclarations",
        Json::array(
            {{{"name", "f"},
              {"parameters", {{"type", "OBJECT"}, {"properties", {{"n", {{"type", "INTEGER"}}}}}}}},
             {{"name", "g"}},
             {{"name", "fig"}}})}});
  const Json parts = Body(Ask(GeminiRequest(body)))["candidates"][0]["content"]["parts"];
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(Dump(parts[0]["functionCall"]), R"({"name":"f","args":{"n":1}})");
  EXPECT_TRUE(parts[0].contains("thoughtSignature"));
  EXPECT_FALSE(parts[1].contains("thoughtSignature"));
}

TEST_F(Gemini, ABlockedPromptHasFeedbackAndNoCandidate) {
  Control({{"safety", "prompt"}});
  const Json body = Body(Ask(GeminiRequest(GeminiText("bad"))));
  EXPECT_EQ(body["promptFeedback"]["blockReason"], "SAFETY");
  EXPECT_FALSE(body.contains("candidates"));
}

TEST_F(Gemini, ThinksWhereThoughtsAreAskedFor) {
  Json body = GeminiText("hello");
  body["generationConfig"] = {{"thinkingConfig", {{"includeThoughts", true}}}};
  const Json answer = Body(Ask(GeminiRequest(body)));
  const Json& parts = answer["candidates"][0]["content"]["parts"];
  EXPECT_EQ(parts[0]["thought"], true);
  EXPECT_EQ(parts[1]["text"], "You said: hello; this is turn 1.");
  EXPECT_EQ(answer["usageMetadata"]["thoughtsTokenCount"], 6);
}

}  // namespace
}  // namespace requestrouter::sim
