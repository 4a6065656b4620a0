#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "client_lib/routerctl/daemon_checks.h"
#include "client_lib/routerctl/host_checks.h"
#include "client_lib/routerctl/text.h"

// Verdicts and remedies from facts.
namespace requestrouter::routerctl {
namespace {

using ipc::Value;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

const CallerFacts kRoot = {0, "root", false, true};
const CallerFacts kAda = {1000, "ada", false, true};

SocketFacts Listening(mode_t mode = 0660) {
  SocketFacts socket;
  socket.endpoint = "ipc:///run/requestrouter/router.sock";
  socket.file = {
      "/run/requestrouter/router.sock", 0, S_IFSOCK | mode, 990, "requestrouter", "requestrouter"};
  socket.by = 990;
  socket.by_user = "requestrouter";
  return socket;
}

FileFacts Directory(mode_t mode, uid_t uid = 990) {
  return {"/var/lib/requestrouter", 0, S_IFDIR | mode, uid, "owner", "group"};
}

FileFacts Secrets(mode_t mode) { return {".env", 0, S_IFREG | mode, 0, "root", "root"}; }

Error Failed(ErrorType type, const std::string& message = "as told") {
  Error error;
  error.type = type;
  error.message = message;
  error.request_id = "4f1c";
  return error;
}

Value Key(const std::string& state) {
  return {{"key_id", "k1"}, {"active", true}, {"state", state}, {"models", {"flash"}}};
}

Findings KeysOf(Value keys) { return JudgeKeys(Value{{"keys", std::move(keys)}}); }

// ---- configuration

TEST(DoctorConfig, PassesOnEveryLineOfRouterd) {
  const Findings findings = JudgeConfig(
      {"/usr/sbin/routerd", "keys.json", 1, {"error: keys.json:3: rpm: is -1", "error: more"}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].verdict, Verdict::kWrong);
  EXPECT_EQ(findings[0].text, "keys.json:3: rpm: is -1");
  EXPECT_THAT(findings[0].remedy, HasSubstr("routerctl reload"));
}

TEST(DoctorConfig, AWarningIsDoubtfulBesideAGoodFile) {
  const Findings findings =
      JudgeConfig({"/usr/sbin/routerd", "keys.json", 0, {"warning: no secret", "keys.json: fine"}});
  ASSERT_EQ(findings.size(), 2u);
  EXPECT_EQ(findings[0].verdict, Verdict::kDoubtful);
  EXPECT_EQ(findings[1].verdict, Verdict::kFine);
}

TEST(DoctorConfig, AFailureWithoutAKnownLineIsWrongAllTheSame) {
  const Findings findings = JudgeConfig({"/usr/sbin/routerd", "keys.json", 2, {"no such option"}});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].verdict, Verdict::kWrong);
  EXPECT_EQ(findings[0].text, "no such option");
}

TEST(DoctorConfig, IsNotCheckedWithoutRouterdOrWhereItDoesNotEnd) {
  EXPECT_EQ(JudgeConfig({"", "keys.json", -1, {}})[0].verdict, Verdict::kNotChecked);
  EXPECT_EQ(JudgeConfig({"/usr/sbin/routerd", "keys.json", -1, {}})[0].verdict,
            Verdict::kNotChecked);
}

// ---- socket and permissions

TEST(DoctorSocket, IsFineWhereSomethingListens) {
  EXPECT_EQ(JudgeSocket(Listening(), kRoot).verdict, Verdict::kFine);
}

TEST(DoctorSocket, SaysOfEveryOtherCaseWhatToDo) {
  SocketFacts stale = Listening();
  stale.connect_error = ECONNREFUSED;
  EXPECT_THAT(JudgeSocket(stale, kRoot).text, HasSubstr("stale"));
  EXPECT_THAT(JudgeSocket(stale, kRoot).remedy, HasSubstr("systemctl start"));
  SocketFacts closed = Listening();
  closed.connect_error = EACCES;
  EXPECT_THAT(JudgeSocket(closed, kAda).remedy, HasSubstr("usermod -aG requestrouter ada"));
  SocketFacts absent = Listening();
  absent.file.error = ENOENT;
  EXPECT_THAT(JudgeSocket(absent, kRoot).text, HasSubstr("does not exist"));
  SocketFacts file = Listening();
  file.file.mode = S_IFREG | 0600;
  EXPECT_THAT(JudgeSocket(file, kRoot).text, HasSubstr("is not a socket"));
  SocketFacts tcp;
  tcp.endpoint = "tcp://127.0.0.1:1";
  EXPECT_THAT(JudgeSocket(tcp, kRoot).text, HasSubstr("tcp://127.0.0.1:1"));
  SocketFacts deep = Listening();
  deep.too_long = true;
  EXPECT_THAT(JudgeSocket(deep, kRoot).text, HasSubstr("too long"));
  for (const SocketFacts& facts : {stale, closed, absent, file, tcp, deep}) {
    EXPECT_EQ(JudgeSocket(facts, kAda).verdict, Verdict::kWrong);
    EXPECT_NE(JudgeSocket(facts, kAda).remedy, "");
  }
}

TEST(DoctorPermissions, ASocketForEveryoneIsWrong) {
  EXPECT_EQ(JudgeSocketMode(Listening(0660)).verdict, Verdict::kFine);
  const Finding open = JudgeSocketMode(Listening(0666));
  EXPECT_EQ(open.verdict, Verdict::kWrong);
  EXPECT_THAT(open.remedy, HasSubstr("chmod 660 /run/requestrouter/router.sock"));
}

TEST(DoctorPermissions, OfTheCallerAreThoseOfRootTheGroupOrRouterdItself) {
  SocketFacts closed = Listening();
  closed.by.reset();
  EXPECT_EQ(JudgeCaller(closed, kRoot).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeCaller(closed, {1000, "ada", true, true}).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeCaller(Listening(), {990, "requestrouter", false, true}).verdict, Verdict::kFine);
  const Finding stranger = JudgeCaller(closed, kAda);
  EXPECT_EQ(stranger.verdict, Verdict::kDoubtful);
  EXPECT_THAT(stranger.remedy, HasSubstr("usermod"));
}

TEST(DoctorPermissions, TheStateDirectoryIsRouterdsAlone) {
  EXPECT_EQ(JudgeStateDirectory(Directory(0700), Listening()).verdict, Verdict::kFine);
  const Finding open = JudgeStateDirectory(Directory(0750), Listening());
  EXPECT_EQ(open.verdict, Verdict::kWrong);
  EXPECT_EQ(open.remedy, "chmod 700 /var/lib/requestrouter");
  const Finding foreign = JudgeStateDirectory(Directory(0700, 1), Listening());
  EXPECT_EQ(foreign.verdict, Verdict::kWrong);
  EXPECT_THAT(foreign.remedy, HasSubstr("chown -R requestrouter"));
  SocketFacts by_systemd = Listening();
  by_systemd.by = 0;
  EXPECT_EQ(JudgeStateDirectory(Directory(0700, 1), by_systemd).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeStateDirectory({}, Listening()).verdict, Verdict::kNotChecked);
}

TEST(DoctorPermissions, FilesWithSecretsAreTheirOwnersAlone) {
  const Findings findings = JudgeSecretFiles({Secrets(0600), Secrets(0640), Secrets(0604)});
  ASSERT_EQ(findings.size(), 3u);
  EXPECT_EQ(findings[0].verdict, Verdict::kWrong);
  EXPECT_THAT(findings[0].remedy, HasSubstr("chmod 600 .env"));
  EXPECT_EQ(findings[1].verdict, Verdict::kWrong);
  EXPECT_EQ(findings[2].text, "1 file with secrets is closed to others");
  EXPECT_EQ(JudgeSecretFiles({})[0].verdict, Verdict::kNotChecked);
}

// ---- disk and clock

TEST(DoctorDisk, IsDoubtfulBelowAHundredMegabytesOrTwoPercent) {
  EXPECT_EQ(JudgeDisk({"/s", 0, 100'000'000, 1'000'000'000}).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeDisk({"/s", 0, 99'999'999, 1'000'000'000}).verdict, Verdict::kDoubtful);
  EXPECT_EQ(JudgeDisk({"/s", 0, 200'000'000, 10'000'000'000}).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeDisk({"/s", 0, 199'000'000, 10'000'000'000}).verdict, Verdict::kDoubtful);
  EXPECT_EQ(JudgeDisk({"/s", ENOENT, 0, 0}).verdict, Verdict::kNotChecked);
}

TEST(DoctorDisk, ADatabaseThatIsDamagedOrCannotBeWrittenIsWrong) {
  const auto health = [](bool healthy) { return Value{{"storage", {{"healthy", healthy}}}}; };
  EXPECT_EQ(JudgeStorage(health(true)).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeStorage(health(false)).verdict, Verdict::kWrong);
  EXPECT_EQ(JudgeDatabase(Value{{"problems", Value::array()}})[0].verdict, Verdict::kFine);
  const Findings damaged = JudgeDatabase(Value{{"problems", {"page 7", "page 8"}}});
  ASSERT_EQ(damaged.size(), 2u);
  EXPECT_EQ(damaged[1].text, "the database is damaged: page 8");
  EXPECT_EQ(JudgeDatabase(Failed(ErrorType::kPermissionDenied))[0].verdict, Verdict::kNotChecked);
}

TEST(DoctorClock, IsDoubtfulWhereNothingKeepsIt) {
  EXPECT_EQ(JudgeKernelClock({true, true}).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeKernelClock({true, false}).verdict, Verdict::kDoubtful);
  EXPECT_EQ(JudgeKernelClock({false, false}).verdict, Verdict::kNotChecked);
}

TEST(DoctorClock, OfRouterdMayBeTwoSecondsFromOurs) {
  const Value health = {{"timestamp", "2026-01-01T00:00:00.000Z"}};
  const auto then = *ParseTime("2026-01-01T00:00:00.000Z");
  EXPECT_EQ(JudgeDaemonClock(health, then + milliseconds(2'000)).verdict, Verdict::kFine);
  EXPECT_EQ(JudgeDaemonClock(health, then + milliseconds(2'001)).verdict, Verdict::kWrong);
  EXPECT_EQ(JudgeDaemonClock(health, then - milliseconds(2'001)).verdict, Verdict::kWrong);
  EXPECT_EQ(JudgeDaemonClock(Value::object(), then).verdict, Verdict::kNotChecked);
}

// ---- the daemon and its keys

TEST(DoctorDaemon, OfAnotherVersionIsDoubtfulOfAnotherProtocolWrong) {
  const Value same = {{"version", "1.0"}, {"protocol", {1}}};
  EXPECT_EQ(JudgePing(same, milliseconds(1), "1.0").back().verdict, Verdict::kFine);
  EXPECT_EQ(JudgePing(same, milliseconds(1), "1.1").back().verdict, Verdict::kDoubtful);
  const Value other = {{"version", "9.0"}, {"protocol", {2}}};
  EXPECT_EQ(JudgePing(other, milliseconds(1), "1.0").back().verdict, Verdict::kWrong);
}

TEST(DoctorDaemon, ThatDoesNotAnswerIsWrong) {
  const Findings late = JudgePing(Failed(ErrorType::kDeadlineExceeded), milliseconds(1), "1.0");
  EXPECT_EQ(late[0].verdict, Verdict::kWrong);
  EXPECT_THAT(late[0].text, HasSubstr("within a second"));
  EXPECT_EQ(JudgePing(Failed(ErrorType::kNoDaemon), milliseconds(1), "1.0")[0].text, "as told");
}

TEST(DoctorKeys, ThatAreReadyTakeOneLine) {
  const Findings findings = KeysOf({Key("ready"), Key("ready")});
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].verdict, Verdict::kFine);
  EXPECT_EQ(findings[0].text, "2 of 2 keys are ready");
}

TEST(DoctorKeys, ThatAreNotReadySayWhyAndWhatToDo) {
  Value cooling = Key("cooling");
  cooling["cooldown"] = {{"until", "2026-01-01T00:00:00.000Z"},
                         {"remaining_ms", 80'000},
                         {"reason", "429 rate_limit_error"}};
  Value refused = Key("disabled");
  refused["cooldown"] = {{"reason", "401 invalid_api_key"}};
  Value switched_off = Key("disabled");
  switched_off["cooldown"] = {{"reason", "disabled by operator"}};
  const Findings findings =
      KeysOf({Key("ready"), Key("no_secret"), cooling, refused, switched_off});
  ASSERT_EQ(findings.size(), 5u);
  EXPECT_EQ(findings[1].verdict, Verdict::kWrong);
  EXPECT_THAT(findings[1].remedy, HasSubstr("API_KEY_k1="));
  EXPECT_EQ(findings[2].verdict, Verdict::kDoubtful);
  EXPECT_EQ(findings[2].text,
            "k1 is cooling 1m 20s: 429 rate_limit_error, until 2026-01-01T00:00:00.000Z");
  EXPECT_EQ(findings[3].verdict, Verdict::kWrong);
  EXPECT_THAT(findings[3].remedy, HasSubstr("replace its secret"));
  EXPECT_EQ(findings[4].verdict, Verdict::kDoubtful);
  EXPECT_EQ(findings[4].remedy, "routerctl enable k1");
}

TEST(DoctorKeys, AreWrongWhereThereAreNoneOrNoneIsReady) {
  EXPECT_EQ(KeysOf(Value::array())[0].verdict, Verdict::kWrong);
  EXPECT_EQ(KeysOf(Value::array({Key("no_secret")}))[0].verdict, Verdict::kWrong);
}

TEST(DoctorProbe, IsJudgedByItsError) {
  const auto verdict = [](ErrorType type) {
    return JudgeProbe("k1", Failed(type), milliseconds(5)).verdict;
  };
  EXPECT_EQ(verdict(ErrorType::kUpstreamAuth), Verdict::kWrong);
  EXPECT_EQ(verdict(ErrorType::kUpstreamUnavailable), Verdict::kWrong);
  EXPECT_EQ(verdict(ErrorType::kDeadlineExceeded), Verdict::kWrong);
  EXPECT_EQ(verdict(ErrorType::kUpstreamRejected), Verdict::kWrong);
  EXPECT_EQ(verdict(ErrorType::kNotFound), Verdict::kWrong);
  EXPECT_EQ(verdict(ErrorType::kAllKeysExhausted), Verdict::kDoubtful);
  EXPECT_EQ(verdict(ErrorType::kOverloaded), Verdict::kDoubtful);
  EXPECT_EQ(verdict(ErrorType::kPermissionDenied), Verdict::kNotChecked);
  const Value answer = {{"model", "flash"}, {"provider", "gemini"}};
  EXPECT_EQ(JudgeProbe("k1", answer, milliseconds(5)).text,
            "k1 was answered by flash of gemini, in 5 ms");
}

// ---- the report

TEST(DoctorReport, CountsWhatIsWrongAndDoubtful) {
  const Findings findings = {{"a", Verdict::kWrong, "x", "y"},
                             {"b", Verdict::kDoubtful, "x", ""},
                             {"c", Verdict::kNotChecked, "x", ""}};
  EXPECT_TRUE(AnyWrong(findings));
  EXPECT_EQ(Summary(findings), "1 wrong, 1 doubtful");
  const Value json = ToJson(findings);
  EXPECT_EQ(json["wrong"], 1);
  EXPECT_EQ(json["findings"][0]["remedy"], "y");
  EXPECT_EQ(json["findings"][2]["verdict"], "not checked");
  EXPECT_FALSE(json["findings"][2].contains("remedy"));
  EXPECT_EQ(Summary({}), "nothing is wrong");
}

}  // namespace
}  // namespace requestrouter::routerctl
