#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/policy/key_pool.h"

namespace requestrouter::policy {

// What KeyPool promises, in the simplest way: all attempts that there ever were are kept, and every
// question looks at every one of them. There are no caches, no orders and nothing to be touched.
// Limits that are learned from refusals and corrections by what providers say is left are left out.
class NaiveKeyPool {
 public:
  // The providers' days, which are short so that many of them pass.
  static constexpr Duration kDay = std::chrono::hours(6);
  static Instant DayStart(Instant at) { return Instant(at.time_since_epoch() / kDay * kDay); }

  struct Cell {
    std::string key_id, model;
    auto operator<=>(const Cell&) const = default;
  };
  struct Obstacle {
    std::string word;
    Instant until;
    bool operator==(const Obstacle&) const = default;
  };

  void Configure(const Config& config, Instant now);
  std::vector<Cell> Cells(const std::string& model) const;  // as configured

  // What KeyPool::Judge says, and when a cell can be picked next.
  std::optional<Obstacle> Judge(const Cell& cell, const Demand& demand, bool retry_due,
                                Instant now) const;
  Instant ReadyAt(const Cell& cell, const Demand& demand, bool retry_due, Instant now) const;
  bool InService(const Cell& cell) const { return InService(KeyOf(cell)); }
  bool Excluded(const Cell& cell, Instant now) const;
  int Priority(const Cell& cell) const { return KeyOf(cell).spec.priority; }
  double Headroom(const Cell& cell, Instant now) const;
  std::int64_t Used(const Cell& cell, LimitKind kind, Instant now) const;
  std::int64_t InFlight(const std::string& key_id) const;

  // The attempt's number, which End takes.
  std::size_t Admit(const Cell& cell, const Demand& demand, Instant now);
  void End(std::size_t attempt, const Report& report, Instant now);

  bool Reset(const std::string& key_id, bool counters);
  bool SetEnabled(const std::string& key_id, bool enabled, Instant now);
  void SetHasSecret(const std::string& key_id, bool has_secret);

 private:
  // What an attempt knew of the health of something when it began.
  struct Pass {
    int era = 0;
    int renewal = 0;
    bool trial = false;
  };
  struct Health {
    enum class State { kReady, kCooling, kTrial, kDisabled };

    Instant UsableAt(Instant now) const;
    KeyStateName Name(Instant now) const;
    Pass Admit();
    void Succeed(const Pass& pass);
    void SayNothing(const Pass& pass);
    void Fail(const Pass& pass, Instant now);
    void Cool(const Pass& pass, Duration base, Duration cap, Instant now);
    void CoolUntil(const Pass& pass, Instant at, Instant now);
    void Disable(const Pass& pass);
    void Reset();
    bool Decides(const Pass& pass) const;
    Duration Longer(const Pass& pass, Duration base, Duration cap) const;

    State state = State::kReady;
    Instant until{};
    int strikes = 0;
    int era = 0;
    int renewals = 0;
    int failures = 0;
  };
  struct Provider {
    Instant UsableAt(Instant now, bool retry_due) const;
    bool Blame(const Pass& pass, int status, const std::string& key_id, Instant now);

    Health health;
    Duration base{};
    std::string witness;  // the key that saw the last trouble first
    int status = 0;
    Instant seen{};
  };
  struct Key {
    KeySpec spec;
    Health health;
    bool disabled_by_operator = false;
    bool configured = false;
    std::map<std::string, Instant> excluded;  // by model
  };
  using QuotaId = std::pair<std::string, std::string>;  // group, model
  struct Quota {
    LimitSet limits;
    Health health;
    // The first attempt that counts against each limit that is set.
    std::array<std::optional<std::size_t>, kCountedKinds> from;
    std::size_t slots_from = 0;
  };
  struct Attempt {
    std::string key_id;
    QuotaId quota;
    Demand demand;
    Instant reserved_at, counted_at;
    Amounts counted{};
    Instant next_slot = Instant::min();
    bool in_flight = true;
    Pass of_key, of_quota, of_provider;
  };

  static std::optional<std::int64_t> AmountOf(const LimitSet& limits, std::size_t kind);
  const Key& KeyOf(const Cell& cell) const { return keys_.at(cell.key_id); }
  QuotaId QuotaOf(const Cell& cell) const { return {KeyOf(cell).spec.quota_group, cell.model}; }
  static bool InService(const Key& key);
  Key* Configured(const std::string& key_id);
  bool Counts(const Attempt& attempt, const LimitSet& limits, std::size_t kind, Instant now) const;
  std::int64_t Used(const QuotaId& id, std::size_t kind, Instant now) const;
  Instant FitsAt(const QuotaId& id, std::size_t kind, std::int64_t amount, Instant now) const;
  std::int64_t InFlight(const QuotaId& id) const;
  Obstacle LimitOf(const QuotaId& id, const Demand& demand, Instant now) const;
  void EndQuota(const Attempt& attempt, const Report& report, Instant now);
  void EndKey(const Attempt& attempt, const Report& report, Instant now);

  std::map<std::string, Key> keys_;
  std::map<QuotaId, Quota> quotas_;
  std::map<std::string, Provider> providers_;
  std::vector<std::string> order_;
  std::vector<Attempt> attempts_;
};

}  // namespace requestrouter::policy
