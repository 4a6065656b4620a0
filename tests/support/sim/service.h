#pragma once

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/sim/answers.h"
#include "tests/support/sim/dialect.h"
#include "tests/support/sim/keys.h"
#include "tests/support/sim/reply.h"

namespace requestrouter::sim {

// How answers are sent.
struct Pace {
  Millis latency{0};
  Millis jitter{0};  // added at random, evenly, up to this
  Millis delta{0};   // between the events of a stream
};

struct ServiceOptions {
  std::vector<KeySpec> keys;
  bool accept_any_key = false;  // keys that are not in `keys` exist too, without limits
  Pace pace;
  Script script;
  std::function<void(const Record&)> on_ended;  // told of every provider's request when it is over
};

// Everything about the simulator but sockets: requests in, replies out, time as an argument.
// One thread.
//
// The order of judgement: no key in the URL -> key known and not revoked -> request well-formed ->
// model served -> account can pay -> limits (taken from here on, whatever follows) -> faults ->
// answer, which is billed.
//
// Beside the providers' paths:
//   GET  /_sim/stats    {"totals", "in_flight", "max_in_flight", "keys_in_urls", "elapsed_ms",
//                        "keys": [{"key", counters…, "models": {NAME: {counters…, "limits":
//                        {"rpm": {"limit", "used", "window_ms", "taken", "allowed", "unused"}}}}}],
//                        "prompts": {PROMPT: times billed}, "recent": [see Record]}
//                       with ?brief=1 without "prompts" and "recent". Counters: see Counters.
//   POST /_sim/control  see control.cc
//   POST /_sim/reset    as at the start: counters, windows, faults, pace, script, revoked keys
class Service {
 public:
  Service(ServiceOptions options, Instant now);

  // Never throws. A provider's request is open until Ended is called with its number.
  Reply Handle(const HttpRequest& request, Instant now);
  void Ended(std::uint64_t number, bool client_left);

  const Counters& totals() const { return totals_; }

 private:
  // One provider request on its way through.
  struct Call {
    const Dialect& dialect;
    Asked asked;
    Key* key = nullptr;
    ModelUse* use = nullptr;
    Record record;
    Reply reply;
  };

  Reply HandleProvider(const Dialect& dialect, const HttpRequest& request, Instant now);
  // Each of these either says nothing or answers the call with an error, and returns false.
  bool CheckKey(const HttpRequest& request, Call* call);
  bool CheckRequest(const HttpRequest& request, Call* call);
  bool CheckAccount(Call* call);
  bool CheckLimits(const Said& said, Instant now, Call* call);
  bool CheckFault(const Fault& fault, Call* call);
  void Reject(HttpResponse response, Call* call);
  void Send(Said said, Call* call);
  template <class Change>
  void Count(const Call& call, Change change);
  Millis Latency();

  HttpResponse HandleOwn(const HttpRequest& request, Instant now);
  tl::expected<void, std::string> Control(const Json& control);
  tl::expected<void, std::string> ControlKeys(const Json& control);
  void Reset(Instant now);
  void AddFaultsOfKeys();
  Json Stats(bool brief, Instant now) const;

  const ServiceOptions options_;
  Keys keys_;
  Faults faults_;
  Pace pace_;
  Script script_;
  Ledger ledger_;
  Counters totals_;
  std::int64_t keys_in_urls_ = 0;
  std::int64_t in_flight_ = 0;
  std::int64_t max_in_flight_ = 0;
  std::uint64_t answers_ = 0;
  Instant began_;
  std::mt19937 random_{1};
};

}  // namespace requestrouter::sim
