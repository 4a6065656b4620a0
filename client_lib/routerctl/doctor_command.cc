#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/daemon_checks.h"
#include "client_lib/routerctl/finding.h"
#include "client_lib/routerctl/host_checks.h"
#include "client_lib/routerctl/host_facts.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"
#include "requestrouter_version.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadChild;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;
using std::chrono::milliseconds;
using Style = Console::Style;
using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kPingTimeout{1};
// A look at all of a large database takes longer than a person waits for.
constexpr std::chrono::seconds kCheckTimeout{60};
constexpr std::chrono::seconds kProbeTimeout{30};
constexpr std::int64_t kProbeTokens = 16;  // the least that OpenAI takes

constexpr const char* kServiceConfig = "/etc/requestrouter/keys.json";
constexpr const char* kServiceEnvironment = "/etc/requestrouter/env";

struct Options {
  std::string config, env_file, state_dir;
  bool probe = false;
  bool no_probe = false;
};

bool Readable(const std::string& path) { return access(path.c_str(), R_OK) == 0; }

Findings CheckConfig(const Options& options) {
  std::string env_file = options.env_file;
  if (!options.config.empty()) return JudgeConfig(CheckConfiguration(options.config, env_file));
  if (!Readable(kServiceConfig)) {
    return {{"configuration", Verdict::kNotChecked,
             std::string(kServiceConfig) + " is not there to be read (give --config)", ""}};
  }
  if (env_file.empty() && Readable(kServiceEnvironment)) env_file = kServiceEnvironment;
  return JudgeConfig(CheckConfiguration(kServiceConfig, env_file));
}

Findings CheckHost(const Options& options, const SocketFacts& socket) {
  const CallerFacts caller = LookAtCaller();
  Findings findings = CheckConfig(options);
  findings.push_back(JudgeSocket(socket, caller));
  findings.push_back(JudgeSocketMode(socket));
  findings.push_back(JudgeCaller(socket, caller));
  const std::string state = FindStateDirectory(options.state_dir, socket.file.path);
  findings.push_back(JudgeStateDirectory(state.empty() ? FileFacts{} : LookAtFile(state), socket));
  std::vector<FileFacts> secrets;
  for (const std::string& file : FindSecretFiles(options.env_file)) {
    secrets.push_back(LookAtFile(file));
  }
  Append(findings, JudgeSecretFiles(secrets));
  findings.push_back(JudgeKernelClock(LookAtClock()));
  findings.push_back(JudgeDisk(state.empty() ? DiskFacts{} : LookAtDisk(state)));
  return findings;
}

milliseconds Since(Steady::time_point begin) {
  return std::chrono::ceil<milliseconds>(Steady::now() - begin);
}

// Of the daemon that has answered `ping`. `keys`: the reply to keys.list.
Findings CheckDaemon(Daemon& daemon, const Answer& keys) {
  Findings findings;
  const Answer health = daemon.Ask("health", Value::object());
  findings.push_back(JudgeDaemonClock(health, std::chrono::system_clock::now()));
  findings.push_back(JudgeStorage(health));
  Append(findings, JudgeDatabase(daemon.Ask("check", Value::object(), {}, kCheckTimeout)));
  Append(findings, JudgeKeys(keys));
  return findings;
}

// ---- providers

struct Probe {
  std::string key_id, model;
};

// Of the keys that a request could use; the others' state says enough.
std::vector<Probe> ProbesOf(const Answer& keys) {
  std::vector<Probe> probes;
  if (!keys) return probes;
  for (const Value& key : ReadChild(*keys, "keys")) {
    const std::string state = ReadText(key, "state");
    const auto models = ReadTexts(key, "models");
    if (!client::ReadBool(key, "active") || models.empty()) continue;
    if (state == "disabled" || state == "no_secret") continue;
    probes.push_back({ReadText(key, "key_id"), models.front()});
  }
  return probes;
}

Finding Send(Daemon& daemon, const Probe& probe) {
  const auto begin = Steady::now();
  const Answer answer = daemon.Ask("chat",
                                   {{"prompt", "Answer with the word: yes"},
                                    {"key_id", probe.key_id},
                                    {"model_preference", probe.model},
                                    {"max_output_tokens", kProbeTokens},
                                    {"expected_completion_tokens", kProbeTokens},
                                    {"max_wait_ms", 0},
                                    {"agent", "routerctl doctor"}},
                                   {}, kProbeTimeout);
  return JudgeProbe(probe.key_id, answer, Since(begin));
}

bool Agrees(const Console& console, std::size_t keys) {
  console.Print("This sends one request of about 10 tokens with each of " + std::to_string(keys) +
                (keys == 1 ? " key" : " keys") + ". Go on? [y/N] ");
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

bool CanAsk(const Console& console) {
  return !console.json() && console.stdout_is_terminal() && isatty(STDIN_FILENO) == 1;
}

Findings CheckProviders(const Console& console, Daemon& daemon, const Options& options,
                        const std::vector<Probe>& probes) {
  const std::string remedy = "routerctl doctor --probe sends one small request with each key";
  if (probes.empty()) {
    return {{"providers", Verdict::kNotChecked, "no key could send a request", ""}};
  }
  const bool go =
      options.probe || (!options.no_probe && CanAsk(console) && Agrees(console, probes.size()));
  if (!go) return {{"providers", Verdict::kNotChecked, "whether they answer", remedy}};
  Findings findings;
  for (const Probe& probe : probes) findings.push_back(Send(daemon, probe));
  return findings;
}

// ---- the report

Style StyleOf(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return Style::kGreen;
    case Verdict::kDoubtful:
      return Style::kYellow;
    case Verdict::kWrong:
      return Style::kRed;
    case Verdict::kNotChecked:
      break;
  }
  return Style::kDim;
}

std::string Padded(std::string_view word, std::size_t width) {
  std::string text(word);
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

void Show(const Console& console, const Findings& findings) {
  constexpr std::size_t kVerdict = 12, kCheck = 14;
  for (const Finding& finding : findings) {
    console.Print(
        console.Styled(StyleOf(finding.verdict), Padded(Word(finding.verdict), kVerdict)) + " " +
        Padded(finding.check, kCheck) + " " + Printable(finding.text) + "\n");
    if (finding.remedy.empty()) continue;
    console.Print(std::string(kVerdict + kCheck + 2, ' ') + "-> " + Printable(finding.remedy) +
                  "\n");
  }
}

// Shows each part when it is there: the last one may wait for a person.
class Report {
 public:
  explicit Report(const Console& console) : console_(console) {}

  void Add(Findings findings) {
    if (!console_.json()) Show(console_, findings);
    Append(all_, std::move(findings));
  }
  void End() const {
    if (console_.json()) {
      console_.PrintJson(ToJson(all_));
    } else {
      console_.Print(Summary(all_) + "\n");
    }
  }
  bool any_wrong() const { return AnyWrong(all_); }

 private:
  const Console& console_;
  Findings all_;
};

int Doctor(const Console& console, Daemon& daemon, const Options& options) {
  Report report(console);
  const SocketFacts socket = LookAtSocket(daemon.endpoint());
  report.Add(CheckHost(options, socket));
  const auto begin = Steady::now();
  const Answer ping = daemon.Ask("ping", Value::object(), {}, kPingTimeout);
  report.Add(JudgePing(ping, Since(begin), REQUESTROUTER_VERSION));
  if (ping) {
    const Answer keys = daemon.Ask("keys.list", Value::object());
    report.Add(CheckDaemon(daemon, keys));
    report.Add(CheckProviders(console, daemon, options, ProbesOf(keys)));
  } else {
    report.Add({{"keys", Verdict::kNotChecked, "without an answer of routerd", ""},
                {"providers", Verdict::kNotChecked, "without an answer of routerd", ""}});
  }
  report.End();
  if (!ping && ping.error().type == ErrorType::kNoDaemon) return kNoDaemonFound;
  return report.any_wrong() ? kRefused : kFine;
}

}  // namespace

void AddDoctorCommand(CommandSet& set) {
  CLI::App* doctor = set.Add(
      "doctor",
      "Check configuration, permissions, socket, clock, disk, keys and providers, and say what to "
      "do",
      "  routerctl doctor\n"
      "  sudo routerctl doctor --probe          with a small request to every provider\n"
      "  routerctl doctor --config keys.json --env-file .env --state-dir state\n"
      "  routerctl doctor --json | jq -r '.findings[] | select(.verdict == \"wrong\") | .remedy'\n"
      "Verdicts: fine, doubtful, wrong, not checked. Exit code 1 where something is wrong, 3 "
      "where\n"
      "there is no daemon; what needs none is checked all the same.");
  auto options = std::make_shared<Options>();
  doctor
      ->add_option("--config", options->config,
                   "The configuration to check, by routerd --check-config. Default: "
                   "/etc/requestrouter/keys.json")
      ->type_name("FILE");
  doctor->add_option("--env-file", options->env_file, "The .env file that goes with it")
      ->type_name("FILE");
  doctor
      ->add_option("--state-dir", options->state_dir,
                   "Where routerd keeps its database. Default: where it does by itself")
      ->type_name("DIR");
  CLI::Option* probe = doctor->add_flag(
      "--probe", options->probe,
      "Send one request of about 10 tokens with each key, without asking first (administrators)");
  doctor->add_flag("--no-probe", options->no_probe, "Send none, and do not ask")->excludes(probe);
  set.Run(doctor, [options](const Console& console, Daemon& daemon) {
    return Doctor(console, daemon, *options);
  });
}

}  // namespace requestrouter::routerctl
