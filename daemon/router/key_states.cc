#include "daemon/router/key_states.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/router/day_reset.h"

namespace requestrouter::router {
namespace {

using policy::KeyStateName;

// The steady clock's zero. What a power cut has lost was sent before it.
constexpr policy::Instant kMachineStart{};

constexpr storage::Millis kSecond = 1'000;
constexpr storage::Millis kMinute = 60'000;

// Until the end of a provider's day at the most; no day has more hours.
constexpr policy::Duration kLongestCooldown = std::chrono::hours(25);

constexpr std::array<std::pair<KeyStateName, std::string_view>, 5> kNames = {{
    {KeyStateName::kReady, "ready"},
    {KeyStateName::kCooling, "cooling"},
    {KeyStateName::kTrial, "trial"},
    {KeyStateName::kDisabled, "disabled"},
    {KeyStateName::kNoSecret, "no_secret"},
}};

KeyStateName StateFromName(std::string_view name) {
  for (const auto& [state, text] : kNames) {
    if (text == name) return state;
  }
  return KeyStateName::kReady;
}

// Of a stored count, or of an attempt.
template <typename Stored>
policy::Amounts AmountsOf(const Stored& stored, std::int64_t requests) {
  return {requests, stored.counted_tokens, stored.input_tokens, stored.output_tokens,
          requests, stored.counted_tokens};
}

// How the provider of a quota group counts its days; UTC where the group is no longer configured.
config::DayReset ResetOf(const config::Config& config, const std::string& quota_group) {
  for (const config::Key& key : config.keys) {
    if (key.quota_group != quota_group) continue;
    const auto provider = config.providers.find(key.provider);
    if (provider != config.providers.end()) return provider->second.day_reset;
  }
  return config::DayReset::kUtcMidnight;
}

// Of what was used in a second or a minute it is not known when, so it counts from the end.
policy::Instant EndOf(const storage::QuotaCount& count, storage::Millis length,
                      const Clock& clock) {
  return std::min(clock.Steady(), SteadyAt(clock, count.start + length));
}

// The minutes that belong to the present day of their provider; a rolling day drops what is older
// by itself.
void RestoreDays(const storage::Recovered& recovered, const Catalog& catalog, const Clock& clock,
                 policy::Dispatcher& dispatcher) {
  for (const storage::QuotaCount& minute : recovered.minutes) {
    const config::DayReset reset = ResetOf(catalog.config(), minute.quota_group);
    const bool rolling = reset == config::DayReset::kRolling24h;
    if (!rolling && minute.start < DayStart(reset, clock.Wall())) continue;
    dispatcher.RestoreDay(minute.quota_group, minute.model, AmountsOf(minute, minute.requests),
                          EndOf(minute, kMinute, clock), clock.Steady());
  }
}

// What is older than the seconds, only windows that are longer see.
void RestoreMinutes(const storage::Recovered& recovered, const Clock& clock,
                    policy::Dispatcher& dispatcher) {
  for (const storage::QuotaCount& minute : recovered.minutes) {
    if (minute.start >= recovered.seconds_from) continue;
    dispatcher.RestoreAttempts(minute.quota_group, minute.model, AmountsOf(minute, minute.requests),
                               EndOf(minute, kMinute, clock));
  }
  for (const storage::QuotaCount& second : recovered.seconds) {
    dispatcher.RestoreAttempts(second.quota_group, second.model, AmountsOf(second, second.requests),
                               EndOf(second, kSecond, clock));
  }
  for (const storage::UnknownAttempt& attempt : recovered.unknown) {
    const storage::AttemptOpened& opened = attempt.opened;
    if (opened.at < recovered.seconds_from) continue;
    dispatcher.RestoreAttempts(opened.quota_group, opened.model, AmountsOf(opened, 1),
                               std::min(clock.Steady(), SteadyAt(clock, opened.at)));
  }
}

policy::KnownHealth FromStored(const storage::KeyState& stored, const Clock& clock) {
  const policy::Instant until = SteadyAt(clock, stored.until, kLongestCooldown);
  return {stored.key_id,
          StateFromName(stored.state),
          {until, stored.reason, stored.source, stored.strikes},
          stored.disabled_by_operator};
}

}  // namespace

std::string_view Name(KeyStateName state) {
  return kNames.at(static_cast<std::size_t>(state)).second;
}

storage::KeyState ToStored(const policy::KnownHealth& known, const Clock& clock) {
  storage::KeyState stored;
  stored.key_id = known.of;
  stored.state = Name(known.state);
  stored.disabled_by_operator = known.disabled_by_operator;
  if (known.state == KeyStateName::kReady) return stored;
  stored.until = WallAt(clock, known.cooldown.until);
  stored.reason = known.cooldown.reason;
  stored.source = known.cooldown.source;
  stored.strikes = known.cooldown.strikes;
  return stored;
}

void RestoreQuota(const storage::Recovered& recovered, const Catalog& catalog, const Clock& clock,
                  policy::Dispatcher& dispatcher) {
  const policy::Instant now = clock.Steady();
  RestoreDays(recovered, catalog, clock, dispatcher);
  RestoreMinutes(recovered, clock, dispatcher);
  if (recovered.attempts_lost()) dispatcher.RestoreFullWindows(kMachineStart, now);
  for (const storage::KeyState& stored : recovered.keys) {
    dispatcher.RestoreHealth(FromStored(stored, clock), now);
  }
}

}  // namespace requestrouter::router
