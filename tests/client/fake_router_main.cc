// The scripted router as a program, for tests in other languages: prints its endpoint and serves
// until stdin ends. What a chat does follows from its prompt; see Chat().

#include <cstdio>
#include <iostream>
#include <string>

#include "tests/client/fake_router.h"

namespace requestrouter::testing {
namespace {

Value Reply(const std::string& content, const Value& request) {
  return {{"success", true},
          {"content", content},
          {"model", "gemini-2.5-flash"},
          {"key_id", "gemini-flash-01"},
          {"tokens", {{"input", 3}, {"output", 5}, {"total", 8}}},
          {"conversation_id", request.at("body").value("conv_id", "")},
          {"echo", request.at("body")},
          {"deadline_ms", request.at("deadline_ms")},
          {"request_id", request.at("id")}};
}

void Stream(Responder& out) {
  out.Event({{"seq", 0}, {"progress", {{"state", "waiting"}, {"eta_ms", 40}}}});
  out.Event({{"seq", 1}, {"delta", {{"text", "Hel"}}}});
  out.Event({{"seq", 2}, {"delta", {{"text", "lo"}}}});
}

// "hang" is not answered, "fail TYPE" gets that error, "newer" a reply of version 2, everything
// else is echoed; where streaming
// is asked "Hello" comes in pieces, and "break" fails after them.
void Chat(const Value& request, Responder& out) {
  const std::string prompt = request.at("body").value("prompt", "");
  const bool stream = request.at("body").value("stream", false);
  if (stream && prompt != "hang") Stream(out);
  if (prompt.starts_with("fail ")) {
    out.Fail(prompt.substr(5), "as asked",
             {{"retryable", true}, {"retry_after_ms", 1'500}, {"details", {{"keys", 3}}}});
  } else if (prompt == "newer") {
    out.Raw({{"v", 2}, {"id", request.at("id")}, {"final", true}});
  } else if (prompt == "break") {
    out.Fail("upstream_unavailable", "broken", {{"details", {{"interrupted", true}}}});
  } else if (prompt != "hang" && prompt != "pause") {
    out.Final(Reply(stream ? "Hello" : prompt, request));
  }
}

void Conversation(const Value& request, Responder& out) {
  const Value& body = request.at("body");
  if (body.at("conv_id") == "unknown") return out.Fail("not_found", "no such conversation");
  out.Final({{"conv_id", body.at("conv_id")},
             {"messages", {{{"role", "user"}, {"content", "Hi"}}}},
             {"metadata", {{"message_count", 1}}},
             {"removed", 2},
             {"message_count", 1},
             {"deleted", true}});
}

void Script(FakeRouter& router) {
  router.On("chat", Chat);
  router.On("conversation.get", Conversation);
  router.On("conversation.truncate", Conversation);
  router.On("conversation.delete", Conversation);
  router.Answer("conversation.list", {{"conversations", Value::array()}});
  router.Answer("models", {{"models", {{{"model", "gemini-2.5-flash"}}}}});
  router.Answer(
      "health",
      {{"healthy", true},
       {"key_manager",
        {{"healthy", true}, {"total_keys", 3}, {"active_keys", 2}, {"keys_in_cooldown", 1}}},
       {"conversation_store", true},
       {"storage", {{"healthy", true}, {"engine", "sqlite"}}},
       {"timestamp", "2026-01-01T00:00:00.000Z"}});
  router.On("cancel", [](const Value& request, Responder& out) {
    out.FailOther(request.at("body").at("id"), "cancelled", "as asked");
    out.Final({{"cancelled", true}});
  });
  // What came so far: ids of chats, and of those that were cancelled.
  router.On("received", [&router](const Value&, Responder& out) {
    Value chats = Value::array();
    for (const Value& request : router.Received("chat")) chats.push_back(request.at("id"));
    Value cancelled = Value::array();
    for (const Value& request : router.Received("cancel")) {
      cancelled.push_back(request.at("body").at("id"));
    }
    out.Final({{"chats", std::move(chats)}, {"cancelled", std::move(cancelled)}});
  });
}

}  // namespace
}  // namespace requestrouter::testing

int main() {
  requestrouter::testing::FakeRouter router;
  requestrouter::testing::Script(router);
  router.Start();
  std::cout << router.endpoint() << std::endl;
  while (std::getchar() != EOF) {
  }
}
