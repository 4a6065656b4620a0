#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/policy/cell_order.h"
#include "daemon/policy/pool_config.h"
#include "daemon/policy/pool_state.h"
#include "daemon/policy/request.h"
#include "daemon/policy/status.h"

namespace requestrouter::policy {

// All keys with their limits and health, and the choice among them.
//
// The choice: the preferred key while it has room (prompt caches live with the key's project), then
// the order of the choices, then each model's CellOrder over its keys ("cells").
class KeyPool {
 public:
  // A key that does not serve a model is not asked for it again for so long.
  static constexpr Duration kNotServed = std::chrono::minutes(10);

  explicit KeyPool(std::uint64_t seed);

  // Keys and quotas that stay or come back keep counts, cooldowns and what is in flight; keys that
  // were disabled because of what a provider said are tried again.
  void Configure(const Config& config, Instant now);

  // ---- models
  std::size_t model_count() const { return models_.size(); }
  const std::string& model_name(std::uint32_t model) const { return models_[model].name; }
  std::optional<std::uint32_t> FindModel(std::string_view name) const;
  bool HasTier(std::uint32_t model, Tier tier) const;  // any of its keys
  // The models of one key, for that key alone, as configured; none where there is no such key.
  Choices ChoicesOf(std::string_view key_id) const;
  // The part that a demand takes of all that the model's keys have: the greatest over the limits
  // (dominant share: Ghodsi et al., NSDI 2011).
  double ShareOf(std::uint32_t model, const Demand& demand) const;

  // ---- choosing
  std::optional<CellId> Pick(const Choices& choices, const Wish& wish, Instant now);
  // The earliest instant at which one of them could be picked; kNever where only an event helps.
  Instant ReadyAt(const Choices& choices, const Demand& demand, bool retry_due, Instant now);
  // Whether any cell would take the smallest demand now.
  bool AnyOpen(const Choices& choices, Instant now);
  // Whether time alone will never open any: each is disabled, inactive or has no secret, or (for
  // now) does not serve the model.
  bool Hopeless(const Choices& choices, Instant now) const;
  bool AllDisabled(const Choices& choices) const;
  // The limit that keeps the demand from ever fitting any of them; nullopt if it fits one.
  std::optional<std::pair<LimitKind, std::int64_t>> NeverFits(const Choices& choices,
                                                              const Demand& demand) const;
  // Why a cell cannot take the demand now, and until when; nullopt: it can.
  struct Obstacle {
    const char* word;
    Instant until;
  };
  std::optional<Obstacle> Judge(CellId cell, const Demand& demand, bool retry_due,
                                Instant now) const;
  // Whether `other` can be taken there without `first` having to wait past `until`.
  bool LeavesRoomFor(CellId cell, const Demand& first, const Demand& other, Instant until,
                     Instant now) const;
  // Whether `is(CellId)` holds for any cell of the choices; looks no further than the first.
  template <typename Is>
  bool AnyCell(const Choices& choices, Is is) const {
    for (const Choice& choice : choices) {
      const Model& model = models_[choice.model];
      for (std::uint32_t i = 0; i < model.cells.size(); ++i) {
        if (Matches(model.cells[i], choice) && is(CellId{choice.model, i})) return true;
      }
    }
    return false;
  }
  // The cells of the choices in their order, at most `max`.
  std::vector<CellId> Cells(const Choices& choices, std::size_t max) const;
  std::size_t cell_count() const { return cell_count_; }
  // When the cell's health lets it be used, its limits apart; kNever where no instant is known.
  Instant HealthyAt(CellId cell, Instant now) const;
  bool Among(const Choices& choices, CellId cell) const;
  const KeyState& key(CellId cell) const { return *At(cell).key; }
  const QuotaState& quota(CellId cell) const { return *At(cell).quota; }

  // ---- attempts
  Admission Admit(CellId cell, const Demand& demand, bool retry_due, Instant now);
  void End(const Admission& admission, const Report& report, Instant now);

  // ---- operators
  std::vector<KeyStatus> Keys(Instant now) const;
  std::optional<KeyStatus> Key(std::string_view key_id, Instant now) const;
  bool Reset(std::string_view key_id, bool counters);
  bool SetEnabled(std::string_view key_id, bool enabled, Instant now);
  void SetHasSecret(std::string_view key_id, bool has_secret);
  // See Dispatcher::TakeChanged; TakeChanged clears what ChangedHealth goes by.
  std::vector<KnownHealth> ChangedHealth(Instant now) const;
  std::vector<KeyStatus> TakeChanged(Instant now);

  // ---- restart
  void RestoreAttempts(std::string_view group, std::string_view model, const Amounts& counted,
                       Instant at);
  void RestoreFullWindows(Instant at, Instant now);
  void RestoreDay(std::string_view group, std::string_view model, const Amounts& counted,
                  Instant at, Instant now);
  // What is not configured is ignored.
  void RestoreHealth(const KnownHealth& known, Instant now);

  // Changes whenever a forecast made before may no longer hold.
  std::uint64_t version() const { return version_; }
  void SanityCheck(Instant now) const;

 private:
  struct Cell {
    std::shared_ptr<KeyState> key;
    std::shared_ptr<QuotaState> quota;
    Instant excluded_until = Instant::min();
    std::optional<Tier> tier;
  };
  struct Model {
    std::string name;
    std::vector<Cell> cells;
    CellOrder order;
    std::array<bool, kTiers.size()> tiers{};            // of its keys
    std::array<std::int64_t, kMinuteKinds> capacity{};  // sums of limits; 0: not limited
  };

  const Cell& At(CellId cell) const { return models_[cell.model].cells[cell.index]; }
  KeyState* FindKey(std::string_view key_id);
  QuotaState* FindQuota(std::string_view group, std::string_view model);
  static bool Matches(const Cell& cell, const Choice& choice) {
    return (choice.tier == Choice::kAnyTier || choice.tier == cell.tier) &&
           (choice.key == nullptr || choice.key == cell.key.get());
  }
  // ---- choosing
  std::optional<CellId> PickPreferred(const Choices& choices, const Wish& wish, Instant now) const;
  std::optional<CellId> PickBest(const Choice& choice, const Wish& wish, Instant now);
  bool Takes(CellId cell, const Wish& wish, Instant now) const;
  Instant CellReadyAt(CellId cell, const Demand& demand, bool retry_due, Instant now) const;
  Model& Refreshed(std::uint32_t model, Instant now);
  CellOrder::State StateOf(CellId cell, Instant now) const;
  // What a cell's order takes from one of these must be read anew; nulls are skipped.
  void Touch(const KeyState* key, const QuotaState* quota, const ProviderState* provider);
  // ---- configuration
  void AddKey(const KeySpec& spec, const RetryPolicy& retry, Instant now);
  void AddModel(const KeyModel& served, const std::shared_ptr<KeyState>& key, Instant now);
  void CountCapacity(Model& model) const;
  // ---- attempts
  void EndHealth(const Admission& admission, const Report& report, Instant now);
  // Whether the provider is to blame.
  bool EndProviderHealth(const Admission& admission, const Report& report, Instant now);
  void Exclude(const Admission& admission, Instant until);
  // ---- operators
  void Mark(bool& changed) { changed = any_changed_ = true; }
  void MarkChanged(QuotaState& quota);
  KeyStatus StatusOf(const KeyState& key, Instant now) const;

  std::vector<Model> models_;
  std::map<std::string, std::uint32_t, std::less<>> model_index_;
  std::map<std::string, std::shared_ptr<KeyState>, std::less<>> keys_;
  std::vector<std::string> key_order_;  // as configured
  std::map<std::pair<std::string, std::string>, std::shared_ptr<QuotaState>> quotas_;
  // Of keys that earlier configurations had: one that comes back must not find its windows empty.
  std::map<std::string, std::shared_ptr<KeyState>, std::less<>> former_keys_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<QuotaState>> former_quotas_;
  std::map<std::string, std::shared_ptr<ProviderState>, std::less<>> providers_;
  // Where each key and quota has its cells.
  std::map<const void*, std::vector<CellId>> cells_of_;
  std::mt19937_64 random_;
  std::size_t cell_count_ = 0;
  std::uint64_t version_ = 0;
  bool any_changed_ = false;  // of a key, quota or provider, since TakeChanged
};

}  // namespace requestrouter::policy
