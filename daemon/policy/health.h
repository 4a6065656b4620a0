#pragma once

#include <cstdint>
#include <string>

#include "daemon/policy/status.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// How attempts have been going with one thing that can fail: a key, or a quota that its provider
// declared exhausted.
//
//   ready ──bad news──▶ cooling ──time──▶ half open ──one attempt──▶ trial ──success──▶ ready
//     ▲                    ▲                                           │
//     │                    └──────────────bad news: longer─────────────┘
//     └──reset── disabled ◀──told so, from any state
//
// Half open is shown as trial: both wait for one attempt to decide. What an attempt's end changes,
// Ended decides, so that every rule is in one place. Events of attempts that were admitted before
// the present state began are expected: they can lengthen a cooldown, never shorten or end one; and
// they cannot disable what was renewed since.
class Health {
 public:
  // What an attempt carries from Admit to its end.
  struct Pass {
    std::uint64_t epoch = 0;    // of the cooldown before it
    std::uint64_t renewal = 0;  // the last one before it
    bool trial = false;
  };

  struct Event {
    enum class Kind : std::uint8_t {
      kSucceeded,  // the attempt says that all is well
      kNoVerdict,  // the attempt ended without saying anything of this
      kFailed,     // counts; the third in a row cools, as does a failed trial
      kCool,       // cools for `base`, doubled for each failed trial in a row, at most `cap`
      kCoolUntil,  // cools until `until`
      kDisable,
    };
    Kind kind = Kind::kNoVerdict;
    Duration base{};
    Duration cap{};
    Instant until{};
    std::string reason{};
    std::string source{};
  };

  // Failures in a row that cool: one may be chance, and other keys take over meanwhile.
  static constexpr int kFailuresThatCool = 3;

  // Whether an attempt may be made now, and from when on where not: kNever where only an event
  // can tell (disabled, or a trial under way).
  bool Usable(Instant now) const { return UsableAt(now) <= now; }
  Instant UsableAt(Instant now) const;

  // An attempt begins. Requires Usable.
  Pass Admit(Instant now);
  // It ended. True: the state or the cooldown changed.
  bool Ended(const Pass& pass, const Event& event, Instant now);

  // It may have another secret from here on: that an attempt of before is told to disable it says
  // nothing of it as it is now.
  void Renew() { ++renewal_; }
  // By an operator, a reload or a new secret: renewed, and ready at once.
  void Reset();
  // From an earlier run. A disabled key comes back half open: its secret may be another now.
  void Restore(KeyStateName state, const Cooldown& cooldown, Instant now);

  KeyStateName state(Instant now) const;
  // Of the last cooldown; meaningful unless ready.
  const Cooldown& cooldown() const { return cooldown_; }
  int failures() const { return failures_; }
  void ForgiveFailures() { failures_ = 0; }

 private:
  enum class State : std::uint8_t { kReady, kCooling, kTrial, kDisabled };

  bool Release(bool deciding);
  void BecomeReady();
  bool Cool(const Pass& pass, const Event& event, Instant until, Instant now);
  Duration Growing(const Pass& pass, const Event& event) const;

  State state_ = State::kReady;
  Cooldown cooldown_;
  std::uint64_t epoch_ = 0;  // of cooldowns
  std::uint64_t renewal_ = 0;
  int failures_ = 0;  // in a row
};

}  // namespace requestrouter::policy
