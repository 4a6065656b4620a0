#include "daemon/policy/health.h"

#include <algorithm>

#include "daemon/policy/invariant.h"
#include "daemon/policy/retry.h"

namespace requestrouter::policy {

Instant Health::UsableAt(Instant now) const {
  switch (state_) {
    case State::kReady:
      return now;
    case State::kCooling:
      return std::max(now, cooldown_.until);
    case State::kTrial:
    case State::kDisabled:
      break;
  }
  return kNever;
}

Health::Pass Health::Admit(Instant now) {
  Require(Usable(now), "attempts go where they may");
  if (state_ == State::kReady) return {epoch_, renewal_, false};
  state_ = State::kTrial;
  return {epoch_, renewal_, true};
}

bool Health::Ended(const Pass& pass, const Event& event, Instant now) {
  const bool deciding = pass.trial && pass.epoch == epoch_ && state_ == State::kTrial;
  switch (event.kind) {
    case Event::Kind::kSucceeded:
      failures_ = 0;
      if (!deciding) return false;
      BecomeReady();
      return true;
    case Event::Kind::kNoVerdict:
      return Release(deciding);
    case Event::Kind::kFailed:
      ++failures_;
      if (!deciding && (failures_ < kFailuresThatCool || pass.epoch != epoch_)) return false;
      return Cool(pass, event, now + Growing(pass, event), now);
    case Event::Kind::kCool:
      return Cool(pass, event, now + Growing(pass, event), now);
    case Event::Kind::kCoolUntil:
      return Cool(pass, event, event.until, now);
    case Event::Kind::kDisable:
      if (pass.renewal != renewal_) return Release(deciding);
      state_ = State::kDisabled;
      ++epoch_;
      cooldown_ = {kNever, event.reason, event.source, cooldown_.strikes};
      return true;
  }
  return false;
}

// The trial has decided nothing: half open again.
bool Health::Release(bool deciding) {
  if (deciding) state_ = State::kCooling;
  return deciding;
}

bool Health::Cool(const Pass& pass, const Event& event, Instant until, Instant now) {
  if (state_ == State::kDisabled) return false;
  const bool news = pass.epoch == epoch_;
  const bool cooling = state_ == State::kCooling && cooldown_.until > now;
  if (cooling && until <= cooldown_.until) return false;  // the later expiry stands
  if (!news && state_ == State::kTrial) return false;     // the trial decides
  const std::int64_t strikes = cooldown_.strikes + (news ? 1 : 0);
  cooldown_ = {until, event.reason, event.source, std::max<std::int64_t>(strikes, 1)};
  state_ = State::kCooling;
  ++epoch_;
  failures_ = 0;
  return true;
}

// Only an attempt made after the last cooldown can say that the last one was too short.
Duration Health::Growing(const Pass& pass, const Event& event) const {
  const bool again = pass.trial && pass.epoch == epoch_;
  const std::int64_t doublings = again ? cooldown_.strikes : 0;
  return Doubled(event.base, doublings, std::max(event.base, event.cap));
}

void Health::Reset() {
  Renew();
  BecomeReady();
}

void Health::BecomeReady() {
  state_ = State::kReady;
  cooldown_ = {};
  failures_ = 0;
  ++epoch_;
}

void Health::Restore(KeyStateName state, const Cooldown& cooldown, Instant now) {
  if (state == KeyStateName::kReady || state == KeyStateName::kNoSecret) return Reset();
  state_ = State::kCooling;
  cooldown_ = cooldown;
  if (state == KeyStateName::kDisabled) cooldown_.until = now;
  ++epoch_;
}

KeyStateName Health::state(Instant now) const {
  switch (state_) {
    case State::kReady:
      return KeyStateName::kReady;
    case State::kCooling:
      return cooldown_.until > now ? KeyStateName::kCooling : KeyStateName::kTrial;
    case State::kTrial:
      return KeyStateName::kTrial;
    case State::kDisabled:
      break;
  }
  return KeyStateName::kDisabled;
}

}  // namespace requestrouter::policy
