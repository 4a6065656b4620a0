#include "client_lib/routerctl/daemon_checks.h"

#include <algorithm>

#include "client_lib/routerctl/key_cells.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadBool;
using client::ReadChild;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;
using std::chrono::milliseconds;

// Both clocks are one host's: what is more than this is no delay of the reply.
constexpr milliseconds kClockSlack{2'000};

// As policy writes it, see daemon/policy/status.h.
constexpr std::string_view kByOperator = "disabled by operator";

// The remedy where a provider refuses a key.
std::string ReplaceSecret(const std::string& key_id) {
  return "replace its secret (or pay its account), then: routerctl reload; routerctl "
         "reset-cooldown " +
         key_id;
}

// A failed operation that would have told.
Finding Untold(const std::string& check, const std::string& what, const Error& error) {
  const bool denied = error.type == ErrorType::kPermissionDenied;
  return {check, Verdict::kNotChecked,
          what + ": " + (denied ? "administrators only" : error.message),
          denied ? "run routerctl doctor as root" : ""};
}

bool SpeaksOurs(const Value& ping) {
  const Value& versions = ReadChild(ping, "protocol");
  return versions.is_array() && std::find(versions.begin(), versions.end(), 1) != versions.end();
}

Finding JudgeDisabled(const Value& key, const std::string& key_id) {
  const std::string note = NoteOf(key);
  if (note == kByOperator) {
    return {"keys", Verdict::kDoubtful, key_id + " was disabled by an operator",
            "routerctl enable " + key_id};
  }
  return {"keys", Verdict::kWrong, key_id + " was refused by its provider: " + note,
          ReplaceSecret(key_id)};
}

Finding JudgeKey(const Value& key, const std::string& key_id) {
  const std::string state = ReadText(key, "state");
  if (!ReadBool(key, "active")) {
    return {"keys", Verdict::kFine, key_id + " is not active, as configured", ""};
  }
  if (state == "no_secret") {
    return {"keys", Verdict::kWrong, key_id + " has no secret",
            "put API_KEY_" + key_id +
                "=… into the .env file or the environment (or the secret into "
                "/etc/requestrouter/credentials/" +
                key_id + "), then: routerctl reload"};
  }
  if (state == "disabled") return JudgeDisabled(key, key_id);
  const std::string until = ReadText(ReadChild(key, "cooldown"), "until");
  std::string text = key_id + " is " + StateOf(key) + ": " + NoteOf(key);
  if (!until.empty()) text += ", until " + until;
  return {"keys", Verdict::kDoubtful, text,
          "it comes back by itself; to end it now: routerctl reset-cooldown " + key_id};
}

}  // namespace

Findings JudgePing(const Answer& ping, milliseconds took, const std::string& version) {
  const std::string check = "daemon";
  if (!ping) {
    const ErrorType type = ping.error().type;
    if (type == ErrorType::kPermissionDenied || type == ErrorType::kNoDaemon) {
      return {{check, Verdict::kWrong, ping.error().message, "see the line about the socket"}};
    }
    const bool late = type == ErrorType::kDeadlineExceeded;
    return {{check, Verdict::kWrong,
             late ? "routerd does not answer within a second" : ping.error().message,
             "journalctl -u routerd says what it does; systemctl restart routerd"}};
  }
  Findings findings = {{check, Verdict::kFine, "routerd answers, in " + Duration(took), ""}};
  const std::string theirs = ReadText(*ping, "version");
  if (!SpeaksOurs(*ping)) {
    findings.push_back({check, Verdict::kWrong, "routerd " + theirs + " does not speak protocol 1",
                        "install routerctl and routerd of one version"});
  } else if (theirs != version) {
    findings.push_back({check, Verdict::kDoubtful,
                        "routerd is " + theirs + ", routerctl " + version,
                        "systemctl restart routerd, which then is the installed version"});
  } else {
    findings.push_back({check, Verdict::kFine, "routerd and routerctl are both " + version, ""});
  }
  return findings;
}

Finding JudgeDaemonClock(const Answer& health, std::chrono::system_clock::time_point now) {
  const std::string check = "clock";
  if (!health) return Untold(check, "routerd's clock", health.error());
  const auto theirs = ParseTime(ReadText(*health, "timestamp"));
  if (!theirs) return {check, Verdict::kNotChecked, "routerd does not tell its time", ""};
  const auto apart =
      std::chrono::duration_cast<milliseconds>(now > *theirs ? now - *theirs : *theirs - now);
  if (apart > kClockSlack) {
    return {check, Verdict::kWrong, "routerd's clock is " + Duration(apart) + " from this one",
            "the clock jumped or routerd stands still: journalctl -u routerd; systemctl restart "
            "routerd"};
  }
  return {check, Verdict::kFine, "routerd and this program agree on the time", ""};
}

Finding JudgeStorage(const Answer& health) {
  const std::string check = "disk";
  if (!health) return Untold(check, "the database", health.error());
  if (ReadBool(ReadChild(*health, "storage"), "healthy")) {
    return {check, Verdict::kFine, "the database can be written", ""};
  }
  return {
      check, Verdict::kWrong, "the database cannot be written: conversations are refused",
      "journalctl -u routerd says why; look for a full or read-only disk, then: routerctl check"};
}

Findings JudgeDatabase(const Answer& check) {
  if (!check) return {Untold("disk", "damage in the database", check.error())};
  Findings findings;
  for (const std::string& problem : ReadTexts(*check, "problems")) {
    findings.push_back({"disk", Verdict::kWrong, "the database is damaged: " + problem,
                        "routerctl restore FILE with the last backup"});
  }
  if (findings.empty()) {
    findings.push_back({"disk", Verdict::kFine, "the database is whole", ""});
  }
  return findings;
}

Findings JudgeKeys(const Answer& keys) {
  if (!keys) return {Untold("keys", "the keys", keys.error())};
  Findings findings;
  std::int64_t ready = 0, all = 0;
  for (const Value& key : ReadChild(*keys, "keys")) {
    ++all;
    if (ReadBool(key, "active") && ReadText(key, "state") == "ready") {
      ++ready;
      continue;
    }
    findings.push_back(JudgeKey(key, ReadText(key, "key_id")));
  }
  if (all == 0) {
    return {{"keys", Verdict::kWrong, "no keys are configured",
             "add one to keys.json and its secret beside it, then: routerctl reload"}};
  }
  const std::string text = Count(ready) + " of " + Count(all) + " keys are ready";
  if (ready > 0) {
    findings.insert(findings.begin(), {"keys", Verdict::kFine, text, ""});
  } else {
    findings.insert(findings.begin(), {"keys", Verdict::kWrong, text + ": no request is answered",
                                       "see the lines about keys"});
  }
  return findings;
}

Finding JudgeProbe(const std::string& key_id, const Answer& chat, milliseconds took) {
  const std::string check = "providers";
  if (chat) {
    return {check, Verdict::kFine,
            key_id + " was answered by " + ReadText(*chat, "model") + " of " +
                ReadText(*chat, "provider") + ", in " + Duration(took),
            ""};
  }
  const Error& error = chat.error();
  const std::string said = key_id + ": " + error.message;
  switch (error.type) {
    case ErrorType::kPermissionDenied:
      return {check, Verdict::kNotChecked, said, "run routerctl doctor --probe as root"};
    case ErrorType::kUpstreamAuth:
      return {check, Verdict::kWrong, key_id + " is refused by its provider: " + error.message,
              ReplaceSecret(key_id)};
    case ErrorType::kAllKeysExhausted:
    case ErrorType::kRateLimited:
      return {check, Verdict::kDoubtful, key_id + " has no room at present: " + error.message,
              "routerctl keys says when its limits allow more"};
    case ErrorType::kNotFound:
      return {check, Verdict::kWrong, said,
              "correct the key's model_name in keys.json, then: routerctl reload"};
    case ErrorType::kUpstreamUnavailable:
    case ErrorType::kDeadlineExceeded:
      return {check, Verdict::kWrong, key_id + ": its provider is not reached: " + error.message,
              "look at the host's network, DNS and proxy, at base_url in keys.json, and at the "
              "provider's status page; routerctl explain " +
                  error.request_id};
    case ErrorType::kUpstreamRejected:
      return {check, Verdict::kWrong,
              key_id + ": its provider refuses the request: " + error.message,
              "compare provider, model_name and base_url in keys.json; routerctl explain " +
                  error.request_id};
    default:
      return {check, Verdict::kDoubtful, said, "routerctl explain " + error.request_id};
  }
}

}  // namespace requestrouter::routerctl
