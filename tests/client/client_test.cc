#include "requestrouter/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>

#include "tests/client/fake_router.h"

namespace requestrouter {
namespace {

using std::chrono::milliseconds;
using testing::FakeRouter;
using ::testing::HasSubstr;
using testing::Responder;
using testing::Value;

Value ReplyBody(const std::string& content) {
  return {{"success", true},
          {"content", content},
          {"model", "gemini-2.5-flash"},
          {"model_requested", ""},
          {"provider", "gemini"},
          {"key_id", "gemini-flash-01"},
          {"tokens", {{"input", 3}, {"output", 5}, {"total", 8}, {"cached", 0}, {"reasoning", 0}}},
          {"finish_reason", "stop"},
          {"tool_calls", Value::array()},
          {"conversation_id", "c1"},
          {"attempts", 1},
          {"waited_ms", 0},
          {"duration_ms", 12},
          {"fallback", false},
          {"persisted", true},
          {"replayed", false},
          {"warnings", Value::array()}};
}

Value Delta(int seq, const std::string& text) {
  return {{"seq", seq}, {"delta", {{"text", text}}}};
}

ChatRequest Prompt(const std::string& text) {
  ChatRequest request;
  request.prompt = text;
  return request;
}

// The text of the user's turn as it arrived, in either of the protocol's forms.
std::string PromptOf(const Value& request) {
  const Value& body = request.at("body");
  if (body.contains("prompt")) return body.at("prompt");
  const Value& content = body.at("messages").at(0).at("content");
  if (content.is_string()) return content;
  return content.at(0).at("text");
}

void Echo(const Value& request, Responder& out) { out.Final(ReplyBody(PromptOf(request))); }

void StreamHello(const Value&, Responder& out) {
  out.Event({{"seq", 0}, {"progress", {{"state", "waiting"}, {"position", 2}, {"eta_ms", 40}}}});
  out.Event(Delta(1, "Hel"));
  out.Event(Delta(2, "lo"));
  out.Final(ReplyBody("Hello"));
}

class ClientTest : public ::testing::Test {
 protected:
  ClientOptions Options() const {
    ClientOptions options;
    options.endpoint = router_.endpoint();
    return options;
  }

  FakeRouter router_;
};

TEST_F(ClientTest, ABlockingChatReturnsTheAnswer) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_TRUE(reply) << reply.error().message;
  EXPECT_EQ(reply->content, "Hello");
  EXPECT_EQ(reply->key_id, "gemini-flash-01");
  EXPECT_EQ(reply->conversation_id, "c1");
  EXPECT_EQ(reply->request_id, router_.Received("chat").at(0).at("id"));
}

TEST_F(ClientTest, TheRequestIdAndDeadlineOfTheCallerAreSent) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  CallOptions options;
  options.request_id = "mine";
  options.deadline = milliseconds(5'000);
  ASSERT_TRUE(client.Chat(Prompt("Hello"), options));
  const Value request = router_.Received("chat").at(0);
  EXPECT_EQ(request.at("id"), "mine");
  EXPECT_LE(request.at("deadline_ms"), 5'000);
  EXPECT_GT(request.at("deadline_ms"), 0);
}

TEST_F(ClientTest, TheFutureFormAnswersCallsInFlightTogether) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  std::vector<std::future<Result<ChatReply>>> futures;
  for (int i = 0; i < 50; ++i) futures.push_back(client.ChatAsync(Prompt(std::to_string(i))));
  for (int i = 0; i < 50; ++i) EXPECT_EQ(futures[i].get().value().content, std::to_string(i));
}

TEST_F(ClientTest, AStreamGivesProgressAndDeltasInOrderOnTheCallersThread) {
  router_.On("chat", StreamHello);
  router_.Start();
  Client client(Options());
  std::string text;
  std::optional<ChatProgress> progress;
  const auto caller = std::this_thread::get_id();
  const auto reply = client.ChatStream(Prompt("Hi"), [&](const ChatEvent& event) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    if (const auto* delta = std::get_if<ChatDelta>(&event)) {
      text += delta->text;
    } else {
      progress = std::get<ChatProgress>(event);
    }
    return true;
  });
  ASSERT_TRUE(reply);
  EXPECT_EQ(text, "Hello");
  EXPECT_EQ(reply->content, "Hello");
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->position, 2);
  EXPECT_EQ(progress->eta, milliseconds(40));
  EXPECT_EQ(router_.Received("chat").at(0).at("body").at("stream"), true);
}

TEST_F(ClientTest, TheCallbackFormDeliversEventsAndThenTheAnswerOnce) {
  router_.On("chat", StreamHello);
  router_.Start();
  Client client(Options());
  std::string text;
  std::promise<Result<ChatReply>> done;
  client.ChatAsync(
      Prompt("Hi"),
      [&](const ChatEvent& event) {
        if (const auto* delta = std::get_if<ChatDelta>(&event)) text += delta->text;
        return true;
      },
      [&](Result<ChatReply> reply) { done.set_value(std::move(reply)); });
  EXPECT_EQ(done.get_future().get().value().content, "Hello");
  EXPECT_EQ(text, "Hello");
}

TEST_F(ClientTest, AnErrorOfTheDaemonReachesTheCallerWhole) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Fail("all_keys_exhausted", "no key has capacity",
             {{"retryable", true}, {"retry_after_ms", 200'000}, {"details", {{"keys", 3}}}});
  });
  router_.Start();
  Client client(Options());
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kAllKeysExhausted);
  EXPECT_EQ(Name(reply.error().type), "all_keys_exhausted");
  EXPECT_EQ(reply.error().message, "no key has capacity");
  EXPECT_TRUE(reply.error().retryable);
  EXPECT_EQ(reply.error().retry_after, milliseconds(200'000));
  EXPECT_EQ(reply.error().details_json, R"({"keys":3})");
  EXPECT_FALSE(reply.error().request_id.empty());
}

TEST_F(ClientTest, WithoutADaemonACallFailsSoonAndSaysWhatToDo) {
  ClientOptions options = Options();
  options.connect_timeout = milliseconds(50);
  Client client(options);
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kNoDaemon);
  EXPECT_THAT(reply.error().message, HasSubstr(router_.endpoint()));
  EXPECT_THAT(reply.error().message, HasSubstr("start routerd"));
}

TEST_F(ClientTest, AStaleSocketFileIsNoDaemon) {
  router_.Start();
  {
    Client client(Options());
    static_cast<void>(client.GetHealth());
  }
  router_.Stop();
  ClientOptions options = Options();
  options.connect_timeout = milliseconds(50);
  Client client(options);
  EXPECT_EQ(client.GetHealth().error().type, ErrorType::kNoDaemon);
}

TEST_F(ClientTest, ACallBeforeTheDaemonIsUpIsServedWhenItComes) {
  router_.On("chat", Echo);
  Client client(Options());
  auto future = client.ChatAsync(Prompt("early"));
  router_.Start();
  EXPECT_EQ(future.get().value().content, "early");
}

TEST_F(ClientTest, AnEndpointThatIsNoneIsRefused) {
  ClientOptions options;
  options.endpoint = "nonsense";
  Client client(options);
  const auto reply = client.Chat(Prompt("Hello"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kInvalidRequest);
  EXPECT_THAT(reply.error().message, HasSubstr("nonsense"));
}

TEST_F(ClientTest, ADeadlinePassesWithoutAnAnswer) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Start();
  Client client(Options());
  CallOptions options;
  options.deadline = milliseconds(1);
  const auto reply = client.Chat(Prompt("Hello"), options);
  ASSERT_FALSE(reply);
}

TEST_F(ClientTest, DeadlinesOutsideTheProtocolsRangeAreRefused) {
  Client client(Options());
  for (const milliseconds deadline : {milliseconds(0), milliseconds(86'400'001)}) {
    CallOptions options;
    options.deadline = deadline;
    EXPECT_EQ(client.Chat(Prompt("Hello"), options).error().type, ErrorType::kInvalidRequest);
  }
}

TEST_F(ClientTest, ARequestOverTheSizeLimitIsRefusedAndTheNextOneServed) {
  router_.On("chat", Echo);
  router_.Start();
  ClientOptions options = Options();
  options.max_payload_bytes = 1'000;
  Client client(options);
  const auto reply = client.Chat(Prompt(std::string(1'001, 'x')));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kPayloadTooLarge);
  EXPECT_EQ(reply.error().details_json, R"({"limit":1000})");
  EXPECT_TRUE(client.Chat(Prompt("small")));
}

TEST_F(ClientTest, ADaemonThatRefusesThisVersionSaysSo) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Fail("unsupported_version", "version 1 is not supported; 2 is");
  });
  router_.Start();
  Client client(Options());
  EXPECT_EQ(client.Chat(Prompt("Hi")).error().type, ErrorType::kUnsupportedVersion);
}

TEST_F(ClientTest, AReplyOfANewerDaemonIsAnErrorAtOnceAndNotAWait) {
  router_.On("chat", [](const Value& request, Responder& out) {
    out.Raw({{"v", 2}, {"id", request.at("id")}, {"final", true}, {"ok", true}, {"answer", 7}});
  });
  router_.Start();
  Client client(Options());
  const Error error = client.Chat(Prompt("Hi")).error();
  EXPECT_EQ(error.type, ErrorType::kUnsupportedVersion);
  EXPECT_THAT(error.message, HasSubstr("version 2"));
}

TEST_F(ClientTest, AnErrorTypeOfANewerDaemonKeepsItsNameAndAdvice) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Fail("too_warm", "the host is hot", {{"retryable", true}, {"retry_after_ms", 70}});
  });
  router_.Start();
  Client client(Options());
  const Error error = client.Chat(Prompt("Hi")).error();
  EXPECT_EQ(error.type, ErrorType::kInternalError);
  EXPECT_EQ(error.message, "too_warm: the host is hot");
  EXPECT_TRUE(error.retryable);
  EXPECT_EQ(error.retry_after, milliseconds(70));
}

TEST_F(ClientTest, AnOlderDaemonThatLacksAnOperationIsNamedAsSuch) {
  router_.Start();
  Client client(Options());
  EXPECT_EQ(client.GetModels().error().type, ErrorType::kUnknownOp);
}

TEST_F(ClientTest, AReplyThatCannotBeReadIsAnErrorOfItsRequestAndNoOther) {
  router_.On("chat", [](const Value& request, Responder& out) {
    out.Raw("nonsense");
    out.Raw({{"v", 1}, {"id", "of nobody"}, {"final", true}, {"ok", true}});
    out.Raw({{"v", 1}, {"id", request.at("id")}, {"final", true}, {"ok", true}});
  });
  router_.Start();
  Client client(Options());
  EXPECT_EQ(client.Chat(Prompt("Hi")).error().type, ErrorType::kInternalError);
}

TEST_F(ClientTest, ASocketThatThisUserMayNotUseIsPermissionDenied) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  ClientOptions options = Options();
  options.connect_timeout = milliseconds(50);
  int started[2];
  ASSERT_EQ(pipe(started), 0);
  const pid_t child = fork();  // before there are threads
  if (child == 0) {
    char byte;
    if (setuid(65534) != 0 || read(started[0], &byte, 1) != 1) _exit(2);
    Client client(options);
    const auto reply = client.Chat(Prompt("Hi"));
    _exit(!reply && reply.error().type == ErrorType::kPermissionDenied ? 0 : 1);
  }
  router_.Start();
  router_.Answer("ping", Value::object());
  std::filesystem::permissions(router_.directory(), std::filesystem::perms::owner_all);
  EXPECT_EQ(write(started[1], "", 1), 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  close(started[0]);
  close(started[1]);
  EXPECT_EQ(status, 0);
}

TEST_F(ClientTest, AContradictoryRequestIsRefusedHere) {
  Client client(Options());
  ChatRequest request = Prompt("Hello");
  request.messages.emplace_back();
  EXPECT_EQ(client.Chat(request).error().type, ErrorType::kInvalidRequest);
  request = Prompt("Hello");
  request.metadata_json = "{";
  EXPECT_EQ(client.Chat(request).error().message, "metadata is not JSON");
}

TEST_F(ClientTest, ReturningFalseFromAStreamCancelsIt) {
  router_.On("chat", [](const Value&, Responder& out) { out.Event(Delta(0, "Hel")); });
  router_.Answer("cancel", {{"cancelled", true}});
  router_.Start();
  Client client(Options());
  const auto reply = client.ChatStream(Prompt("Hi"), [](const ChatEvent&) { return false; });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kCancelled);
  EXPECT_EQ(reply.error().partial_content, "Hel");
  const Value cancel = router_.WaitFor("cancel", 1).at(0);
  EXPECT_EQ(cancel.at("body").at("id"), router_.Received("chat").at(0).at("id"));
}

TEST_F(ClientTest, AStreamCallbackThatThrowsCancelsItsRequestAndNothingElse) {
  router_.On("chat", [](const Value&, Responder& out) { out.Event(Delta(0, "Hel")); });
  router_.Answer("cancel", {{"cancelled", true}});
  router_.Answer("health", {{"healthy", true}});
  router_.Start();
  Client client(Options());
  const auto reply = client.ChatStream(
      Prompt("Hi"), [](const ChatEvent&) -> bool { throw std::runtime_error("boom"); });
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kCancelled);
  EXPECT_THAT(reply.error().message, HasSubstr("boom"));
  router_.WaitFor("cancel", 1);
  EXPECT_TRUE(client.GetHealth()->healthy);
}

TEST_F(ClientTest, CallbacksOnTheBackgroundThreadMayThrowToo) {
  router_.On("chat", StreamHello);
  router_.Answer("health", {{"healthy", true}});
  router_.Start();
  Client client(Options());
  std::promise<Result<ChatReply>> done;
  client.ChatAsync(
      Prompt("Hi"), [](const ChatEvent&) -> bool { throw 7; },
      [&](Result<ChatReply> reply) {
        done.set_value(std::move(reply));
        throw std::runtime_error("after the answer");
      });
  const auto reply = done.get_future().get();
  EXPECT_EQ(reply.error().type, ErrorType::kCancelled);
  EXPECT_THAT(reply.error().message, HasSubstr("threw"));
  EXPECT_TRUE(client.GetHealth()->healthy);
}

TEST_F(ClientTest, ABlockingCallInsideACallbackIsRefusedInsteadOfWaitingForItself) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  std::promise<Result<Health>> inner;
  client.ChatAsync(Prompt("Hi"), {},
                   [&](Result<ChatReply>) { inner.set_value(client.GetHealth()); });
  EXPECT_EQ(inner.get_future().get().error().type, ErrorType::kInvalidRequest);
}

TEST_F(ClientTest, ACallMayBeStartedInsideACallback) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  std::promise<Result<ChatReply>> second;
  client.ChatAsync(Prompt("1"), {}, [&](Result<ChatReply>) {
    client.ChatAsync(Prompt("2"), {},
                     [&](Result<ChatReply> reply) { second.set_value(std::move(reply)); });
  });
  EXPECT_EQ(second.get_future().get().value().content, "2");
}

TEST_F(ClientTest, ACancelledChatEndsAsTheDaemonSays) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.On("cancel", [](const Value& request, Responder& out) {
    out.FailOther(request.at("body").at("id"), "cancelled", "cancelled by its caller");
    out.Final({{"cancelled", true}});
  });
  router_.Start();
  Client client(Options());
  CallOptions options;
  options.request_id = "long";
  auto future = client.ChatAsync(Prompt("Hi"), options);
  router_.WaitFor("chat", 1);
  const auto cancelled = client.Cancel("long");
  ASSERT_TRUE(cancelled);
  EXPECT_TRUE(*cancelled);
  const auto reply = future.get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().type, ErrorType::kCancelled);
  EXPECT_EQ(reply.error().message, "cancelled by its caller");
}

TEST_F(ClientTest, ACallThatStillWaitsForADaemonIsCancelledWithoutOne) {
  Client client(Options());
  CallOptions options;
  options.request_id = "early";
  auto future = client.ChatAsync(Prompt("Hi"), options);
  const auto cancelled = client.Cancel("early");
  ASSERT_TRUE(cancelled);
  EXPECT_TRUE(*cancelled);
  EXPECT_EQ(future.get().error().type, ErrorType::kCancelled);
}

TEST_F(ClientTest, DestroyingTheClientCompletesItsCalls) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.Start();
  auto client = std::make_unique<Client>(Options());
  auto future = client->ChatAsync(Prompt("Hi"));
  std::thread blocked([&asked = *client] {
    const auto reply = asked.Chat(Prompt("blocked"));
    EXPECT_EQ(reply.error().type, ErrorType::kClientClosed);
  });
  router_.WaitFor("chat", 2);
  client.reset();
  EXPECT_EQ(future.get().error().type, ErrorType::kClientClosed);
  blocked.join();
}

TEST_F(ClientTest, AClientMayBeDestroyedInsideItsOwnCallback) {
  router_.On("chat", Echo);
  router_.Start();
  auto client = std::make_unique<Client>(Options());
  std::promise<void> destroyed;
  client->ChatAsync(Prompt("Hi"), {}, [&](Result<ChatReply>) {
    client.reset();
    destroyed.set_value();
  });
  destroyed.get_future().get();
}

TEST_F(ClientTest, ThreadsShareOneClient) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  std::atomic<int> right{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        const std::string text = std::to_string(t) + "/" + std::to_string(i);
        const auto reply = client.Chat(Prompt(text));
        right += reply && reply->content == text;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 200);
}

TEST_F(ClientTest, AfterAForkTheChildHasAConnectionOfItsOwn) {
  router_.On("chat", Echo);
  router_.Start();
  Client client(Options());
  ASSERT_TRUE(client.Chat(Prompt("parent")));
  const pid_t child = fork();
  if (child == 0) {
    const auto reply = client.Chat(Prompt("child"));
    _exit(reply && reply->content == "child" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(client.Chat(Prompt("parent again")).value().content, "parent again");
}

TEST_F(ClientTest, HealthIsTyped) {
  router_.Answer(
      "health",
      {{"healthy", true},
       {"version", "1.2.3"},
       {"uptime_ms", 61'000},
       {"timestamp", "2026-01-01T00:00:00.000Z"},
       {"key_manager",
        {{"healthy", true}, {"total_keys", 3}, {"active_keys", 2}, {"keys_in_cooldown", 1}}},
       {"conversation_store", true},
       {"storage", {{"healthy", true}, {"engine", "sqlite"}}},
       {"queue", {{"waiting", 4}, {"in_flight", 5}}}});
  router_.Start();
  Client client(Options());
  const auto health = client.GetHealth();
  ASSERT_TRUE(health);
  EXPECT_TRUE(health->healthy);
  EXPECT_EQ(health->version, "1.2.3");
  EXPECT_EQ(health->uptime, milliseconds(61'000));
  EXPECT_EQ(health->keys.total, 3);
  EXPECT_EQ(health->keys.active, 2);
  EXPECT_EQ(health->keys.in_cooldown, 1);
  EXPECT_EQ(health->storage_engine, "sqlite");
  EXPECT_EQ(health->waiting, 4);
  EXPECT_EQ(health->in_flight, 5);
}

TEST_F(ClientTest, AnOlderDaemonsShorterHealthIsReadAsFarAsItGoes) {
  router_.Answer("health", {{"healthy", true}, {"queue", 7}});
  router_.Start();
  Client client(Options());
  const auto health = client.GetHealth();
  ASSERT_TRUE(health);
  EXPECT_TRUE(health->healthy);
  EXPECT_EQ(health->keys.total, 0);
}

TEST_F(ClientTest, ModelsAreTyped) {
  router_.Answer("models", {{"models",
                             {{{"model", "m"},
                               {"provider", "p"},
                               {"keys", 2},
                               {"workload", "light"},
                               {"available", true},
                               {"capabilities", {"tools"}}}}}});
  router_.Start();
  Client client(Options());
  const auto models = client.GetModels();
  ASSERT_TRUE(models);
  ASSERT_EQ(models->size(), 1u);
  EXPECT_EQ(models->at(0).name, "m");
  EXPECT_EQ(models->at(0).capabilities, std::vector<std::string>{"tools"});
}

TEST_F(ClientTest, ConversationsAreReadListedTruncatedAndDeleted) {
  router_.Answer("conversation.get",
                 {{"conv_id", "c1"},
                  {"system_prompt", "Be brief"},
                  {"messages",
                   {{{"role", "user"}, {"content", "Hi"}, {"timestamp", "t1"}, {"tokens", 1}},
                    {{"role", "assistant"},
                     {"content", "Hello"},
                     {"timestamp", "t2"},
                     {"metadata", {{"model", "m"}, {"key_id", "k"}}}}}},
                  {"metadata", {{"message_count", 2}}}});
  router_.Answer("conversation.list",
                 {{"conversations", {{{"conv_id", "c1"}, {"message_count", 2}}}}, {"next", "n"}});
  router_.Answer("conversation.truncate", {{"removed", 4}, {"message_count", 2}});
  router_.Answer("conversation.delete", {{"deleted", true}});
  router_.Start();
  Client client(Options());

  const auto conversation = client.GetConversation("c1", 10);
  ASSERT_TRUE(conversation) << conversation.error().message;
  EXPECT_EQ(conversation->system_prompt, "Be brief");
  ASSERT_EQ(conversation->messages.size(), 2u);
  EXPECT_EQ(std::get<TextPart>(conversation->messages[1].message.parts.at(0)).text, "Hello");
  EXPECT_EQ(conversation->messages[1].key_id, "k");
  EXPECT_EQ(conversation->metadata_json, R"({"message_count":2})");
  EXPECT_EQ(router_.Received("conversation.get").at(0).at("body"),
            (Value{{"conv_id", "c1"}, {"limit", 10}}));

  ConversationQuery query;
  query.prefix = "c";
  const auto page = client.ListConversations(query);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->conversations.at(0).id, "c1");
  EXPECT_EQ(page->next, "n");

  EXPECT_EQ(client.TruncateConversation("c1", 2)->removed, 4);
  EXPECT_TRUE(*client.DeleteConversation("c1"));
}

TEST_F(ClientTest, AnyOperationCanBeCalledWithJson) {
  router_.On("conversation.export", [](const Value& request, Responder& out) {
    out.Event({{"line", request.at("body").at("conv_id")}});
    out.Final({{"lines", 1}});
  });
  router_.Start();
  Client client(Options());
  std::vector<std::string> events;
  const auto reply = client.Call("conversation.export", R"({"conv_id":"c1"})", {},
                                 [&events](const std::string& event) {
                                   events.push_back(event);
                                   return true;
                                 });
  ASSERT_TRUE(reply);
  EXPECT_EQ(*reply, R"({"lines":1})");
  EXPECT_EQ(events, std::vector<std::string>{R"({"line":"c1"})"});
}

TEST(RequestId, IsNewEveryTime) {
  const std::string id = Client::NewRequestId();
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(id, Client::NewRequestId());
}

}  // namespace
}  // namespace requestrouter
