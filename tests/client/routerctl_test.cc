#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/client/fake_router.h"

// The routerctl that was built, run as a person or a script runs it.
namespace requestrouter {
namespace {

using testing::FakeRouter;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Responder;
using ::testing::StartsWith;
using testing::Value;

struct Outcome {
  int code = -1;
  std::string out;
  std::string err;
};

using Pipe = std::array<int, 2>;

Pipe NewPipe() {
  Pipe ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
  return ends;
}

// A running routerctl. Its environment holds nothing but what is given.
class Process {
 public:
  Process(std::vector<std::string> arguments, std::vector<std::string> environment,
          const std::string& input) {
    arguments.insert(arguments.begin(), "routerctl");
    const std::vector<char*> argv = Pointers(arguments);
    const std::vector<char*> envp = Pointers(environment);
    pid_ = fork();
    if (pid_ == 0) {
      dup2(in_[0], STDIN_FILENO);
      dup2(out_[1], STDOUT_FILENO);
      dup2(err_[1], STDERR_FILENO);
      execve(ROUTERCTL, argv.data(), envp.data());
      _exit(127);
    }
    for (int end : {in_[0], out_[1], err_[1]}) close(end);
    EXPECT_EQ(write(in_[1], input.data(), input.size()), static_cast<ssize_t>(input.size()));
    close(in_[1]);
  }

  void Interrupt() const { kill(pid_, SIGINT); }

  Outcome Wait() {
    Outcome outcome;
    std::array<pollfd, 2> ends = {{{out_[0], POLLIN, 0}, {err_[0], POLLIN, 0}}};
    while (ends[0].fd >= 0 || ends[1].fd >= 0) {
      poll(ends.data(), ends.size(), -1);
      Read(ends[0], outcome.out);
      Read(ends[1], outcome.err);
    }
    int status = 0;
    waitpid(pid_, &status, 0);
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
  }

 private:
  static std::vector<char*> Pointers(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts) pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  static void Read(pollfd& end, std::string& text) {
    if (end.fd < 0 || end.revents == 0) return;
    std::array<char, 4096> buffer;
    const ssize_t size = read(end.fd, buffer.data(), buffer.size());
    if (size > 0) {
      text.append(buffer.data(), static_cast<std::size_t>(size));
    } else {
      close(end.fd);
      end.fd = -1;
    }
  }

  Pipe in_ = NewPipe();
  Pipe out_ = NewPipe();
  Pipe err_ = NewPipe();
  pid_t pid_ = -1;
};

class RouterctlTest : public ::testing::Test {
 protected:
  Process Begin(std::vector<std::string> arguments, const std::string& input = {}) const {
    return Process(std::move(arguments),
                   {"REQUESTROUTER_ENDPOINT=" + router_.endpoint(), "TERM=xterm"}, input);
  }
  Outcome Run(std::vector<std::string> arguments, const std::string& input = {}) const {
    return Begin(std::move(arguments), input).Wait();
  }
  Value LastBody(const std::string& op) { return router_.WaitFor(op, 1).back().at("body"); }

  FakeRouter router_;
};

Value HealthBody(bool healthy) {
  return {{"healthy", healthy},
          {"version", "0.1.0"},
          {"uptime_ms", 11'520'000},
          {"timestamp", "2026-01-01T00:00:00.000Z"},
          {"key_manager",
           {{"healthy", healthy}, {"total_keys", 4}, {"active_keys", 3}, {"keys_in_cooldown", 1}}},
          {"conversation_store", true},
          {"storage", {{"healthy", healthy}, {"engine", "sqlite"}}},
          {"queue", {{"waiting", 2}, {"in_flight", 5}}}};
}

TEST_F(RouterctlTest, HealthOfAHealthyDaemonIsATableAndFine) {
  router_.Answer("health", HealthBody(true));
  router_.Start();
  const Outcome outcome = Run({"health"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out,
            "healthy\n"
            "  routerd        0.1.0, up 3h 12m\n"
            "  keys           3 of 4 active, 1 cooling\n"
            "  storage        sqlite, ok\n"
            "  conversations  ok\n"
            "  queue          2 waiting, 5 in flight\n");
}

TEST_F(RouterctlTest, AnUnhealthyDaemonIsExitCodeOneInBothForms) {
  router_.Answer("health", HealthBody(false));
  router_.Start();
  const Outcome text = Run({"health"});
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out, StartsWith("unhealthy\n"));
  EXPECT_THAT(text.out, HasSubstr("sqlite, not writable"));
  EXPECT_EQ(Run({"--json", "health"}).code, 1);
}

TEST_F(RouterctlTest, JsonIsTheBodyAsItCame) {
  router_.Answer("health", HealthBody(true));
  router_.Start();
  const Outcome outcome = Run({"--json", "health"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(Value::parse(outcome.out), HealthBody(true));
  EXPECT_EQ(Run({"health", "--json"}).out, outcome.out);
}

TEST_F(RouterctlTest, WithoutADaemonTheExitCodeIsThreeAndTheRemedyIsNamed) {
  const Outcome outcome = Run({"health"});
  EXPECT_EQ(outcome.code, 3);
  EXPECT_EQ(outcome.out, "");
  EXPECT_THAT(outcome.err, StartsWith("routerctl: no_daemon: no routerd answers at ipc://"));
  EXPECT_THAT(outcome.err, HasSubstr("start routerd"));
}

TEST_F(RouterctlTest, WithJsonAFailureIsJsonToo) {
  const Outcome outcome = Run({"--json", "keys"});
  EXPECT_EQ(outcome.code, 3);
  const Value error = Value::parse(outcome.out).at("error");
  EXPECT_EQ(error.at("type"), "no_daemon");
  EXPECT_EQ(error.at("retryable"), true);
}

TEST_F(RouterctlTest, KeysShowStateUseAndReason) {
  router_.Answer("keys.list",
                 {{"keys",
                   {{{"key_id", "gemini-flash-01"},
                     {"provider", "gemini"},
                     {"models", {"gemini-2.5-flash", "gemini-2.0-flash"}},
                     {"quota_group", "gemini-flash-01"},
                     {"active", true},
                     {"state", "cooling"},
                     {"cooldown",
                      {{"until", "2026-01-01T00:00:42.000Z"},
                       {"remaining_ms", 42'000},
                       {"reason", "minute quota"},
                       {"source", "retry_info"}}},
                     {"usage",
                      {{"gemini-2.5-flash",
                        {{"rpm", {{"used", 10}, {"limit", 10}}},
                         {"tpm", {{"used", 1'234}, {"limit", 250'000}}},
                         {"rpd", {{"used", 70}, {"limit", 1'500}, {"resets_at", "not a time"}}}}}}},
                     {"in_flight", 2}},
                    {{"key_id", "spare"},
                     {"provider", "openai"},
                     {"models", {"gpt-4o"}},
                     {"active", true},
                     {"state", "no_secret"},
                     {"usage", Value::object()},
                     {"in_flight", 0},
                     {"last_error", "API_KEY_spare is not set"}},
                    {{"key_id", "old"},
                     {"provider", "openai"},
                     {"models", Value::array()},
                     {"active", false},
                     {"state", "disabled"},
                     {"in_flight", 0}}}}});
  router_.Start();
  const Outcome outcome = Run({"keys"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out,
            "KEY              PROVIDER  STATE        MODEL               RPM            TPM       "
            "RPD  DAY RESETS  IN FLIGHT  NOTE\n"
            "gemini-flash-01  gemini    cooling 42s  gemini-2.5-flash  10/10  1,234/250,000  "
            "70/1,500  not a time          2  minute quota\n"
            "                                        gemini-2.0-flash      -              -       "
            "  -  -\n"
            "spare            openai    no secret    gpt-4o                -              -       "
            "  -  -                   0  API_KEY_spare is not set\n"
            "old              openai    inactive     -                     -              -       "
            "  -  -                   0\n");
}

TEST_F(RouterctlTest, KeysShowsEveryKindOfLimitThatAKeyHas) {
  router_.Answer("keys.list", {{"keys",
                                {{{"key_id", "claude"},
                                  {"provider", "anthropic"},
                                  {"models", {"claude-sonnet-4-5"}},
                                  {"active", true},
                                  {"state", "ready"},
                                  {"usage",
                                   {{"claude-sonnet-4-5",
                                     {{"rpm", {{"used", 1}, {"limit", 50}}},
                                      {"itpm", {{"used", 500}, {"limit", 30'000}}},
                                      {"otpm", {{"used", 8'000}, {"limit", 8'000}}},
                                      {"tpd", {{"used", 9}, {"limit", 10}}}}}}},
                                  {"in_flight", 0}}}}});
  router_.Start();
  EXPECT_EQ(Run({"keys"}).out,
            "KEY     PROVIDER   STATE  MODEL               RPM  TPM        ITPM         OTPM  RPD  "
            " TPD  DAY RESETS  IN FLIGHT  NOTE\n"
            "claude  anthropic  ready  claude-sonnet-4-5  1/50    -  500/30,000  8,000/8,000    -  "
            "9/10  -                   0\n");
}

TEST_F(RouterctlTest, ResetCooldownTakesAKeyOrAll) {
  router_.Answer("keys.reset", {{"reset", {"a", "b"}}});
  router_.Start();
  const Outcome outcome = Run({"reset-cooldown", "--all", "--counters"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "reset a\nreset b\n");
  EXPECT_EQ(LastBody("keys.reset"), (Value{{"counters", true}, {"all", true}}));
  EXPECT_EQ(Run({"reset-cooldown", "a"}).code, 0);
  EXPECT_EQ(LastBody("keys.reset"), (Value{{"counters", false}, {"key_id", "a"}}));
  EXPECT_EQ(Run({"reset-cooldown"}).code, 2);
  EXPECT_EQ(Run({"reset-cooldown", "a", "--all"}).code, 2);
}

TEST_F(RouterctlTest, KeysAreDisabledAndEnabled) {
  router_.Answer("keys.disable", {{"key_id", "a"}, {"state", "disabled"}});
  router_.Answer("keys.enable", {{"key_id", "a"}, {"state", "ready"}});
  router_.Start();
  EXPECT_EQ(Run({"disable", "a"}).out, "a is disabled\n");
  EXPECT_EQ(Run({"enable", "a"}).out, "a is ready\n");
}

TEST_F(RouterctlTest, ARefusalIsExitCodeOneWithTheDaemonsWords) {
  router_.On("keys.disable", [](const Value&, Responder& out) {
    out.Fail("permission_denied", "uid 1000 is no administrator; be root");
  });
  router_.Start();
  const Outcome outcome = Run({"disable", "a"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "routerctl: permission_denied: uid 1000 is no administrator; be root\n");
}

TEST_F(RouterctlTest, AnOlderDaemonThatLacksAnOperationIsNamedAsSuch) {
  router_.Start();
  const Outcome outcome = Run({"queue"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("differ in version"));
}

Value ChatBody(const std::string& content) {
  return {{"success", true},
          {"content", content},
          {"model", "gemini-2.5-flash"},
          {"key_id", "gemini-flash-01"},
          {"tokens", {{"input", 3}, {"output", 1'005}}},
          {"duration_ms", 1'500},
          {"waited_ms", 250},
          {"model_requested", "gemini-2.5-pro"},
          {"fallback", true},
          {"warnings", {"asked again"}}};
}

TEST_F(RouterctlTest, AChatIsStreamedAndEndsWithANewline) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Event({{"seq", 0}, {"delta", {{"text", "Hel"}}}});
    out.Event({{"seq", 1}, {"delta", {{"text", "lo"}}}});
    out.Final(ChatBody("Hello"));
  });
  router_.Start();
  const Outcome outcome =
      Run({"chat", "-v", "--model", "gemini-2.5-flash", "-c", "c1", "-s", "Be brief", "Hi"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_EQ(outcome.out, "Hello\n");
  EXPECT_EQ(outcome.err,
            "warning: asked again\n"
            "[gemini-2.5-flash by gemini-flash-01, 3 + 1,005 tokens, 1s, waited 250 ms, "
            "in place of gemini-2.5-pro]\n");
  const Value body = LastBody("chat");
  EXPECT_EQ(body.at("prompt"), "Hi");
  EXPECT_EQ(body.at("model_preference"), "gemini-2.5-flash");
  EXPECT_EQ(body.at("conv_id"), "c1");
  EXPECT_EQ(body.at("system_prompt"), "Be brief");
  EXPECT_EQ(body.at("stream"), true);
}

TEST_F(RouterctlTest, WithoutStreamingTheAnswerComesInOnePiece) {
  router_.Answer("chat", ChatBody("Hello\n"));
  router_.Start();
  const Outcome outcome = Run({"chat", "--no-stream", "Hi"});
  EXPECT_EQ(outcome.out, "Hello\n");
  EXPECT_FALSE(LastBody("chat").contains("stream"));
}

TEST_F(RouterctlTest, AnAnswerByAnotherModelThanWasAskedForSaysSo) {
  router_.Answer("chat", ChatBody("Hello"));
  router_.Start();
  EXPECT_THAT(Run({"chat", "Hi"}).err,
              HasSubstr("note: gemini-2.5-flash answered in place of gemini-2.5-pro\n"));
}

TEST_F(RouterctlTest, AChatInJsonIsOneBody) {
  router_.Answer("chat", ChatBody("Hello"));
  router_.Start();
  const Outcome outcome = Run({"chat", "--json", "Hi"});
  EXPECT_EQ(Value::parse(outcome.out), ChatBody("Hello"));
  EXPECT_FALSE(LastBody("chat").contains("stream"));
}

TEST_F(RouterctlTest, ThePromptComesFromStdinWhereNoneIsGiven) {
  router_.Answer("chat", ChatBody("Hello"));
  router_.Start();
  EXPECT_EQ(Run({"chat"}, "piped").code, 0);
  EXPECT_EQ(LastBody("chat").at("prompt"), "piped");
  EXPECT_EQ(Run({"chat", "-"}, "piped too").code, 0);
  EXPECT_EQ(LastBody("chat").at("prompt"), "piped too");
  const Outcome nothing = Run({"chat"}, "");
  EXPECT_EQ(nothing.code, 2);
  EXPECT_THAT(nothing.err, HasSubstr("there is no prompt"));
}

TEST_F(RouterctlTest, ImagesGoAsBytesOrAsTheirAddress) {
  router_.Answer("chat", ChatBody("A cat"));
  router_.Start();
  const std::string file = router_.directory() + "/cat.png";
  std::ofstream(file) << "PNG";
  EXPECT_EQ(Run({"chat", "-i", file, "-i", "https://host/dog.jpg", "What?"}).code, 0);
  const Value content = LastBody("chat").at("messages").at(0).at("content");
  EXPECT_EQ(content.at(0), (Value{{"type", "text"}, {"text", "What?"}}));
  EXPECT_EQ(content.at(1).at("mime_type"), "image/png");
  EXPECT_EQ(content.at(1).at("data"), Value::binary({'P', 'N', 'G'}));
  EXPECT_EQ(content.at(2).at("url"), "https://host/dog.jpg");
  const Outcome missing = Run({"chat", "-i", "/nowhere/cat.png", "What?"});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/cat.png"));
}

TEST_F(RouterctlTest, ABrokenStreamKeepsWhatCameAndFails) {
  router_.On("chat", [](const Value&, Responder& out) {
    out.Event({{"seq", 0}, {"delta", {{"text", "Hel"}}}});
    out.Fail("upstream_unavailable", "the provider hung up", {{"retry_after_ms", 200'000}});
  });
  router_.Start();
  const Outcome outcome = Run({"chat", "Hi"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "Hel\n");
  EXPECT_EQ(outcome.err,
            "routerctl: upstream_unavailable: the provider hung up\n"
            "  try again in 3m 20s\n");
}

TEST_F(RouterctlTest, CtrlCCancelsTheRequest) {
  router_.On("chat", [](const Value&, Responder&) {});
  router_.On("cancel", [](const Value& request, Responder& out) {
    out.FailOther(request.at("body").at("id"), "cancelled", "cancelled by its caller");
    out.Final({{"cancelled", true}});
  });
  router_.Start();
  Process process = Begin({"chat", "Hi"});
  const Value chat = router_.WaitFor("chat", 1).at(0);
  process.Interrupt();
  const Outcome outcome = process.Wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "routerctl: cancelled: cancelled by its caller\n");
  EXPECT_EQ(LastBody("cancel").at("id"), chat.at("id"));
}

TEST_F(RouterctlTest, CancellingWhatDoesNotRunIsExitCodeOne) {
  router_.Answer("cancel", {{"cancelled", false}});
  router_.Start();
  const Outcome outcome = Run({"cancel", "x"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.out, "no such request is running\n");
}

TEST_F(RouterctlTest, ConversationsAreListedAndTheNextPageIsNamed) {
  router_.Answer("conversation.list", {{"conversations",
                                        {{{"conv_id", "planner_1"},
                                          {"updated_at", "not a time"},
                                          {"message_count", 4},
                                          {"total_tokens", 1'200}}}},
                                       {"next", "planner_1"}});
  router_.Start();
  const Outcome outcome = Run({"conversations", "--prefix", "planner_", "--limit", "1"});
  EXPECT_EQ(outcome.out,
            "CONVERSATION  UPDATED     MESSAGES  TOKENS\n"
            "planner_1     not a time         4   1,200\n");
  EXPECT_EQ(outcome.err, "there are more: --after 'planner_1'\n");
  EXPECT_EQ(LastBody("conversation.list"), (Value{{"limit", 1}, {"prefix", "planner_"}}));
}

TEST_F(RouterctlTest, AConversationIsShownInFull) {
  router_.Answer(
      "conversation.get",
      {{"conv_id", "c1"},
       {"system_prompt", "Be brief"},
       {"messages",
        {{{"role", "user"}, {"content", "Hi\nthere"}, {"timestamp", "t1"}},
         {{"role", "assistant"},
          {"content", "Hello \033[31m"},
          {"timestamp", "t2"},
          {"metadata", {{"model", "m"}, {"key_id", "k"}}}}}},
       {"metadata", {{"message_count", 2}, {"total_tokens", 9}, {"expires_at", "not a time"}}}});
  router_.Start();
  EXPECT_EQ(Run({"conversation", "c1"}).out,
            "c1: 2 messages, 9 tokens, expires not a time\n"
            "\nsystem\nBe brief\n"
            "\nuser  t1\nHi\nthere\n"
            "\nassistant  t2  m by k\nHello ?[31m\n");
}

TEST_F(RouterctlTest, AConversationIsTruncatedDeletedAndExported) {
  router_.Answer("conversation.truncate", {{"removed", 4}, {"message_count", 0}});
  router_.Answer("conversation.delete", {{"deleted", false}});
  router_.On("conversation.export", [](const Value&, Responder& out) {
    out.Event({{"line", "{\"a\":1}"}});
    out.Event({{"line", "{\"a\":2}"}});
    out.Final({{"lines", 2}});
  });
  router_.Start();
  EXPECT_EQ(Run({"conversation", "c1", "--truncate", "0"}).out, "removed 4 messages, kept 0\n");
  EXPECT_EQ(LastBody("conversation.truncate"), (Value{{"conv_id", "c1"}, {"keep_last_n", 0}}));
  EXPECT_EQ(Run({"conversation", "c1", "--delete"}).code, 1);
  EXPECT_EQ(Run({"conversation", "--export"}).out, "{\"a\":1}\n{\"a\":2}\n");
  EXPECT_EQ(LastBody("conversation.export"), Value::object());
  EXPECT_EQ(Run({"conversation"}).code, 2);
  EXPECT_EQ(Run({"conversation", "c1", "--delete", "--export"}).code, 2);
}

TEST_F(RouterctlTest, UsageIsGroupedAsAsked) {
  router_.Answer("usage", {{"rows",
                            {{{"key", "a"},
                              {"requests", 1'000},
                              {"errors", 1},
                              {"input_tokens", 5},
                              {"output_tokens", 6},
                              {"cached_tokens", 0},
                              {"cost_usd", 0.25}},
                             {{"key", "b"},
                              {"requests", 2},
                              {"errors", 0},
                              {"input_tokens", 5},
                              {"output_tokens", 6},
                              {"cached_tokens", 1},
                              {"cost_usd", 0.5}}}}});
  router_.Start();
  const Outcome outcome =
      Run({"usage", "--by", "key", "--since", "2026-01-01", "--until", "2026-01-01T12:00:00Z"});
  EXPECT_EQ(outcome.out,
            "KEY    REQUESTS  ERRORS  INPUT TOKENS  OUTPUT TOKENS  CACHED TOKENS  COST USD"
            "  SHARE OF TOKENS\n"
            "a         1,000       1             5              6              0      0.25"
            "  #####.....  50%\n"
            "b             2       0             5              6              1       0.5"
            "  #####.....  50%\n"
            "total     1,002       1            10             12              1      0.75\n"
            "\nfrom 2026-01-01 00:00 to 2026-01-01 12:00 UTC\n");
  EXPECT_EQ(LastBody("usage"), (Value{{"by", {"key"}},
                                      {"since", "2026-01-01T00:00:00.000Z"},
                                      {"until", "2026-01-01T12:00:00.000Z"}}));
  EXPECT_EQ(Run({"usage", "--by", "colour"}).code, 2);
  EXPECT_EQ(Run({"usage", "--since", "yesterday"}).code, 2);
  EXPECT_EQ(Run({"usage", "--since", ""}).code, 2);
}

TEST_F(RouterctlTest, UsageIsOfTheLastSevenDaysAndAsksForEachOfThem) {
  router_.Answer("usage", {{"rows",
                            {{{"key", "a"},
                              {"model", "m"},
                              {"requests", 3},
                              {"errors", 0},
                              {"input_tokens", 0},
                              {"output_tokens", 0},
                              {"cached_tokens", 0},
                              {"cost_usd", 0}}}}});
  router_.Start();
  const Outcome outcome = Run({"usage"});
  EXPECT_THAT(outcome.out, HasSubstr("SHARE OF REQUESTS  REQUESTS BY DAY\n"));
  EXPECT_THAT(outcome.out, HasSubstr(" UTC until now\n"));
  EXPECT_EQ(LastBody("usage").at("by"), (Value{"key", "model", "day"}));
  EXPECT_TRUE(LastBody("usage").contains("since"));
}

TEST_F(RouterctlTest, UsageOfNothingSaysSo) {
  router_.Answer("usage", {{"rows", Value::array()}});
  router_.Start();
  const Outcome outcome = Run({"usage", "--since", "2026-01-31"});
  EXPECT_EQ(outcome.out, "nothing was asked from 2026-01-31 00:00 UTC until now\n");
  EXPECT_EQ(outcome.code, 0);
}

TEST_F(RouterctlTest, AnExplanationTellsTheWholeStory) {
  router_.Answer("explain",
                 {{"id", "r1"},
                  {"caller", {{"uid", 1000}, {"pid", 7}}},
                  {"state", "done"},
                  {"timeline",
                   {{{"at", "t0"}, {"event", "received"}},
                    {{"at", "2026-01-31T12:00:00.000Z"}, {"event", "waiting"}, {"eta_ms", 40}},
                    {{"at", "2026-01-31T12:00:03.000Z"}, {"event", "granted"}, {"detail", "a"}}}},
                  {"attempts",
                   {{{"n", 1},
                     {"key_id", "a"},
                     {"model", "m"},
                     {"outcome", "ok"},
                     {"status", 200},
                     {"waited_ms", 40},
                     {"duration_ms", 900}}}},
                  {"considered",
                   {{{"key_id", "b"}, {"model", "m"}, {"verdict", "cooling"}, {"until", "t9"}}}}});
  router_.Start();
  EXPECT_EQ(Run({"explain", "r1"}).out,
            "request r1 of uid 1000 pid 7: done\n"
            "It waited 40 ms for a key with room and spent 900 ms at providers, in 1 attempt; the "
            "last was by key a (m): ok.\n"
            "\n"
            "          AT  EVENT     DETAILS\n"
            "          t0  received\n"
            "12:00:00.000  waiting   eta_ms 40\n"
            "         +3s  granted   a\n"
            "\n"
            "ATTEMPT  KEY  MODEL  OUTCOME  STATUS  WAITED    TOOK\n"
            "      1  a    m      ok          200   40 ms  900 ms\n"
            "\n"
            "CONSIDERED  MODEL  VERDICT  UNTIL\n"
            "b           m      cooling  t9\n");
}

TEST_F(RouterctlTest, TheQueueShowsWhoWaitsAndWhatIsInFlight) {
  router_.Answer("queue", {{"waiting",
                            {{{"id", "r1"},
                              {"caller", {{"uid", 1000}, {"pid", 7}}},
                              {"agent", "coder"},
                              {"priority", "normal"},
                              {"position", 1},
                              {"eta_ms", 4'000},
                              {"waited_ms", 2'000}}}},
                           {"in_flight",
                            {{{"id", "r2"},
                              {"caller", {{"uid", 1000}, {"pid", 8}}},
                              {"model", "m"},
                              {"priority", "batch"},
                              {"key_id", "k1"},
                              {"running_ms", 3'000}}}}});
  router_.Start();
  EXPECT_EQ(
      Run({"queue"}).out,
      "1 waiting for a key with room\n"
      "POSITION  ETA  WAITED  PRIORITY  MODEL  CALLER          AGENT  ID\n"
      "       1   4s      2s  normal    any    uid 1000 pid 7  coder  r1\n"
      "1 in flight, at a provider\n"
      "RUNNING  KEY  MODEL  PRIORITY  CALLER          AGENT  ID\n"
      "     3s  k1   m      batch     uid 1000 pid 8         r2\n"
      "`routerctl keys` shows which limits are used up, `routerctl explain ID` what a request "
      "waits for\n");
}

TEST_F(RouterctlTest, ModelsMetricsReloadBackupAndPing) {
  router_.Answer("models", {{"models",
                             {{{"model", "m"},
                               {"provider", "p"},
                               {"keys", 2},
                               {"workload", "light"},
                               {"available", false},
                               {"capabilities", {"tools", "images"}}}}}});
  router_.Answer("metrics", {{"text", "a 1\n"}});
  router_.Answer("reload", {{"changed", {"key a added"}}, {"warnings", {"key b has no secret"}}});
  router_.Answer("backup", {{"bytes", 4'096}, {"duration_ms", 12}});
  router_.Answer("ping", {{"version", "0.1.0"}, {"protocol", {1}}, {"uptime_ms", 1'000}});
  router_.Start();
  EXPECT_EQ(Run({"models"}).out,
            "MODEL  PROVIDER  KEYS  WORKLOAD  AVAILABLE  CAPABILITIES\n"
            "m      p            2  light     no         tools, images\n");
  EXPECT_EQ(Run({"metrics"}).out, "a 1\n");
  const Outcome reload = Run({"reload"});
  EXPECT_EQ(reload.out, "changed: key a added\n");
  EXPECT_EQ(reload.err, "warning: key b has no secret\n");
  EXPECT_EQ(Run({"backup", "/b/x.db"}).out, "wrote /b/x.db: 4,096 bytes in 12 ms\n");
  EXPECT_EQ(Run({"backup", "x.db"}).code, 0);
  EXPECT_EQ(LastBody("backup").at("path"), (std::filesystem::current_path() / "x.db").string());
  EXPECT_THAT(Run({"ping"}).out, StartsWith("routerd 0.1.0, up 1s, answered in "));
}

TEST_F(RouterctlTest, RestoreAndCheckSayWhatTheyDidAndFound) {
  router_.Answer("restore", {{"conversations", 3}, {"messages", 1'200}, {"duration_ms", 12}});
  router_.Answer("check", {{"problems", Value::array({"page 7"})}, {"duration_ms", 12}});
  router_.Start();
  EXPECT_EQ(Run({"restore", "/b/x.db"}).out,
            "restored 3 conversations with 1,200 messages, and the usage, from /b/x.db\n");
  EXPECT_EQ(Run({"check"}).out, "damaged: page 7\n");
  EXPECT_EQ(Run({"check"}).code, 1);
}

// The rest of the doctor's report depends on the host; see routerctl_doctor_test.cc.
TEST_F(RouterctlTest, DoctorProbesEachKeyThatCouldAnswerWithThatKeyAlone) {
  const auto key = [](const char* id, const char* state) {
    return Value{{"key_id", id}, {"active", true}, {"state", state}, {"models", {"flash", "pro"}}};
  };
  router_.Answer("ping", {{"version", "0.1.0"}, {"protocol", {1}}, {"uptime_ms", 1}});
  router_.Answer("health", HealthBody(true));
  router_.Answer("check", {{"problems", Value::array()}, {"duration_ms", 1}});
  router_.Answer("keys.list", {{"keys", {key("k1", "ready"), key("k2", "disabled")}}});
  router_.On("chat", [](const Value&, Responder& out) { out.Fail("upstream_auth", "revoked"); });
  router_.Start();
  const Outcome quiet = Run({"doctor"});
  EXPECT_THAT(quiet.out, HasSubstr("routerctl doctor --probe"));
  EXPECT_TRUE(router_.Received("chat").empty());
  const Outcome outcome = Run({"doctor", "--probe"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("k1 is refused by its provider: revoked"));
  ASSERT_EQ(router_.Received("chat").size(), 1u);
  const Value body = LastBody("chat");
  EXPECT_EQ(body["key_id"], "k1");
  EXPECT_EQ(body["model_preference"], "flash");
  EXPECT_EQ(body["max_wait_ms"], 0);
}

TEST_F(RouterctlTest, DoctorWithoutADaemonReportsAndExitsWithThree) {
  const Outcome people = Run({"doctor"});
  EXPECT_EQ(people.code, 3);
  EXPECT_THAT(people.out, HasSubstr("does not exist: no routerd listens there"));
  const Outcome programs = Run({"--json", "doctor"});
  EXPECT_EQ(programs.code, 3);
  EXPECT_GE(Value::parse(programs.out).at("wrong"), 2);
}

TEST_F(RouterctlTest, DoctorIsToldToProbeOrNotToProbe) {
  EXPECT_EQ(Run({"doctor", "--probe", "--no-probe"}).code, 2);
}

TEST_F(RouterctlTest, WrongUsageIsExitCodeTwoAndPointsToTheHelp) {
  struct Wrong {
    std::vector<std::string> arguments;
    std::string said;
    std::string help;
  };
  const std::vector<Wrong> wrong = {
      {{}, "which command?", "routerctl --help"},
      {{"dance"}, "there is no command \"dance\"", "routerctl --help"},
      {{"--colour"}, "no option \"--colour\"", "routerctl --help"},
      {{"health", "--colour"}, "--colour", "routerctl health --help"},
      {{"disable"}, "KEY is required", "routerctl disable --help"},
      {{"reset-cooldown"}, "name a key, or say --all", "routerctl reset-cooldown --help"},
      {{"--timeout", "0", "health"}, "--timeout", "--help"},
  };
  for (const auto& [arguments, said, help] : wrong) {
    const Outcome outcome = Run(arguments);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr(said));
    EXPECT_THAT(outcome.err, HasSubstr(help));
    EXPECT_EQ(outcome.out, "");
  }
}

TEST_F(RouterctlTest, HelpTeachesWithExamples) {
  const Outcome all = Run({"--help"});
  EXPECT_EQ(all.code, 0);
  EXPECT_THAT(all.out, HasSubstr("Exit codes: 0 fine, 1 unhealthy or refused, 2 wrong usage"));
  for (const char* command :
       {"health",  "ping",   "models", "queue",   "metrics",       "keys",         "reset-cooldown",
        "disable", "enable", "chat",   "cancel",  "conversations", "conversation", "usage",
        "explain", "reload", "backup", "restore", "check",         "top",          "doctor"}) {
    EXPECT_THAT(all.out, HasSubstr(command));
    const Outcome one = Run({command, "--help"});
    EXPECT_EQ(one.code, 0) << command;
    EXPECT_THAT(one.out, HasSubstr(std::string("  routerctl ") + command)) << command;
  }
}

TEST_F(RouterctlTest, TheVersionNeedsNoDaemon) {
  const Outcome outcome = Run({"--version"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, StartsWith("routerctl "));
}

TEST_F(RouterctlTest, ATimeoutOfTheCallerIsKept) {
  router_.On("keys.list", [](const Value&, Responder&) {});
  router_.Start();
  const Outcome outcome = Run({"--timeout", "2", "keys"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("deadline_exceeded"));
}

TEST_F(RouterctlTest, APipeGetsNoColour) {
  router_.Answer("health", HealthBody(false));
  router_.Start();
  EXPECT_THAT(Run({"health"}).out, Not(HasSubstr("\033")));
}

}  // namespace
}  // namespace requestrouter
