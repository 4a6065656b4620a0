#include "daemon/policy/key_pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "tests/policy/naive_key_pool.h"
#include "tests/policy/support.h"

namespace requestrouter::policy {
namespace {

const char* const kModels[] = {"flash", "pro"};

// The pool and its naive counterpart, to which the same happens: what they say is compared.
class Duel {
 public:
  explicit Duel(std::uint64_t seed) : random_(seed), pool_(seed) { Configure(); }

  void Step() {
    switch (Below(16)) {
      case 0:
        Operate();
        break;
      case 1:
        if (Below(4) == 0) Configure();
        break;
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        Admit();
        break;
      case 7:
      case 8:
      case 9:
      case 10:
        End();
        break;
      default:
        Pass();
    }
    Compare();
  }

 private:
  std::int64_t Below(std::int64_t n) {
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n));
  }

  // ---- what happens

  // Of one group: days that end with the provider's, days that roll, requests that go evenly.
  LimitSet LimitsOf(int group) {
    LimitSet limits;
    limits.guard = group == 1 ? Duration(milliseconds(250)) : Duration::zero();
    if (group == 2 || Below(4)) limits.rpm = Limit{2 + Below(4)};
    if (Below(3)) limits.tpm = Limit{500 + 500 * Below(2)};
    if (Below(3) == 0) limits.otpm = Limit{300, seconds(30)};
    if (Below(2)) limits.rpd = 4 + Below(12);
    if (Below(4) == 0) limits.tpd = 4'000;
    if (Below(3) == 0) limits.max_in_flight = 1 + Below(3);
    if (group == 0) limits.day_reset = [](Instant at) { return NaiveKeyPool::DayStart(at) + kDay; };
    if (group == 1) limits.counts = Counts::kInputAndOutput;
    if (group == 2) limits.burst = Burst::kSmooth;
    return limits;
  }

  void Configure() {
    Config config = ConfigOf({});
    std::map<std::pair<int, int>, LimitSet> limits;
    for (int i = 0; i < 6; ++i) {
      if (Below(6) == 0) continue;  // the key is not there
      KeySpec key;
      const int group = i / 2;
      key.key_id = "key" + std::to_string(i);
      key.quota_group = "group" + std::to_string(group);
      key.provider = i % 2 ? "gemini" : "openai";
      key.priority = 1 + i % 3 / 2;
      key.active = Below(12) != 0;
      key.has_secret = Below(12) != 0;
      for (int model = 0; model < 2; ++model) {
        if (Below(4) == 0) continue;
        const auto at = limits.try_emplace({group, model}, LimitsOf(group)).first;
        key.models.push_back({kModels[model], at->second});
      }
      config.keys.push_back(std::move(key));
    }
    pool_.Configure(config, now_);
    naive_.Configure(config, now_);
  }

  void Operate() {
    const std::string key = "key" + std::to_string(Below(7));
    const bool yes = Below(3) != 0;
    switch (Below(3)) {
      case 0:
        ASSERT_EQ(pool_.Reset(key, yes), naive_.Reset(key, yes));
        break;
      case 1:
        ASSERT_EQ(pool_.SetEnabled(key, yes, now_), naive_.SetEnabled(key, yes, now_));
        break;
      default:
        pool_.SetHasSecret(key, yes);
        naive_.SetHasSecret(key, yes);
    }
  }

  Demand SomeDemand() { return {Below(700), Below(200), 200, 0}; }

  void Admit() {
    const Demand demand = SomeDemand();
    const bool retry_due = Below(3) == 0;
    const Choices choices = SomeChoices();
    const std::string preferred = Below(2) ? "" : "key" + std::to_string(Below(7));
    Tried tried;
    if (const auto cells = pool_.Cells(choices, SIZE_MAX); !cells.empty() && Below(3) == 0) {
      const CellId cell = cells[static_cast<std::size_t>(Below(std::ssize(cells)))];
      tried.emplace_back(&pool_.key(cell), &pool_.quota(cell));
    }
    const Wish wish{demand, preferred, tried, retry_due};
    const auto picked = pool_.Pick(choices, wish, now_);
    const std::set<CellId> best = Best(choices, wish);
    ASSERT_EQ(picked.has_value(), !best.empty());
    if (!picked) return;
    ASSERT_TRUE(best.contains(*picked)) << pool_.key(*picked).spec.key_id;
    const Admission admission = pool_.Admit(*picked, demand, retry_due, now_);
    in_flight_.emplace_back(naive_.Admit(NaiveOf(*picked), demand, now_), admission);
  }

  void End() {
    if (in_flight_.empty()) return;
    const auto at = in_flight_.begin() + Below(std::ssize(in_flight_));
    const auto [number, admission] = *at;
    in_flight_.erase(at);
    Report report;
    report.fault = SomeFault();
    if (Below(2)) report.fault.retry_after = seconds(Below(100));
    report.sent = Below(8) != 0;
    report.conclusive = Below(10) != 0;
    if (Below(2)) report.used = SomeDemand();
    if (Below(2)) {
      report.sent_at = std::min(now_, admission.reservation.at + milliseconds(Below(400)));
    }
    pool_.End(admission, report, now_);
    naive_.End(number, report, now_);
  }

  // There are times when everything goes wrong in the same way.
  Fault SomeFault() {
    if (Below(15) == 0) weather_ = static_cast<Weather>(Below(3));
    const int status = 500 + static_cast<int>(Below(8) == 0);
    if (weather_ == Weather::kStorm && Below(8)) return FaultOf(FaultKind::kProvider, {}, status);
    if (weather_ == Weather::kFair && Below(8)) return {};
    return FaultOf(static_cast<FaultKind>(Below(10)), {}, status);
  }

  // Often to just where something may change.
  void Pass() {
    const auto cells = pool_.Cells(Everything(), SIZE_MAX);
    if (Below(20) == 0) {
      now_ = std::max(now_, NaiveKeyPool::DayStart(now_) + kDay - milliseconds(Below(300)));
      return;
    }
    if (Below(2) || cells.empty()) {
      now_ += Below(12) ? Duration(milliseconds(Below(5'000))) : minutes(Below(26 * 60));
      return;
    }
    const CellId cell = cells[static_cast<std::size_t>(Below(std::ssize(cells)))];
    const Instant ready = naive_.ReadyAt(NaiveOf(cell), SomeDemand(), false, now_);
    if (ready != kNever && ready > now_) now_ = ready - Duration(Below(2));
  }

  // ---- what is said

  Choices Everything() const {
    Choices all;
    for (std::uint32_t i = 0; i < pool_.model_count(); ++i) all.push_back({i, Choice::kAnyTier});
    return all;
  }

  Choices SomeChoices() {
    Choices choices = Everything();
    if (Below(4) == 0) return pool_.ChoicesOf("key" + std::to_string(Below(6)));
    if (Below(2)) std::reverse(choices.begin(), choices.end());
    if (Below(2) && choices.size() > 1) choices.pop_back();
    return choices;
  }

  NaiveKeyPool::Cell NaiveOf(CellId cell) const {
    return {pool_.key(cell).spec.key_id, pool_.model_name(cell.model)};
  }

  // Those that may be picked: of the preferred key, or the best ones of the first choice that has
  // any.
  std::set<CellId> Best(const Choices& choices, const Wish& wish) const {
    const auto takes = [&](CellId cell) {
      return !WasTried(wish.tried, pool_.key(cell), pool_.quota(cell)) &&
             !naive_.Judge(NaiveOf(cell), wish.demand, wish.retry_due, now_);
    };
    std::set<CellId> best;
    for (const CellId cell : pool_.Cells(choices, SIZE_MAX)) {
      if (pool_.key(cell).spec.key_id == wish.preferred_key && takes(cell)) return {cell};
    }
    for (const Choice& choice : choices) {
      std::map<std::pair<int, double>, std::set<CellId>> ranks;
      for (const CellId cell : pool_.Cells({choice}, SIZE_MAX)) {
        if (!takes(cell)) continue;
        const NaiveKeyPool::Cell naive = NaiveOf(cell);
        ranks[{naive_.Priority(naive), -naive_.Headroom(naive, now_)}].insert(cell);
      }
      if (!ranks.empty()) return ranks.begin()->second;
    }
    return best;
  }

  void Compare() {
    pool_.SanityCheck(now_);
    const Demand demand = SomeDemand();
    const bool retry_due = Below(3) == 0;
    for (const char* model : kModels) CompareModel(model, demand, retry_due);
    for (const KeyStatus& status : pool_.Keys(now_)) CompareKey(status);
  }

  void CompareModel(const char* model, const Demand& demand, bool retry_due) {
    const auto cells = naive_.Cells(model);
    const auto index = pool_.FindModel(model);
    ASSERT_EQ(index.has_value(), !cells.empty());
    if (!index) return;
    const Choices choices = {{*index, Choice::kAnyTier}};
    Instant ready = kNever;
    bool open = false, hopeless = true, none = true;
    for (std::uint32_t i = 0; i < cells.size(); ++i) {
      SCOPED_TRACE(cells[i].key_id + " " + model);
      ASSERT_EQ(NaiveOf({*index, i}), cells[i]);
      const auto expected = naive_.Judge(cells[i], demand, retry_due, now_);
      const auto obstacle = pool_.Judge({*index, i}, demand, retry_due, now_);
      ASSERT_EQ(obstacle ? obstacle->word : "", expected ? expected->word : "");
      ASSERT_EQ(obstacle ? obstacle->until : now_, expected ? expected->until : now_);
      ready = std::min(ready, naive_.ReadyAt(cells[i], demand, retry_due, now_));
      open = open || !naive_.Judge(cells[i], {}, false, now_);
      none = none && !naive_.InService(cells[i]);
      hopeless = hopeless && (!naive_.InService(cells[i]) || naive_.Excluded(cells[i], now_));
    }
    ASSERT_EQ(pool_.ReadyAt(choices, demand, retry_due, now_), ready) << model;
    ASSERT_EQ(pool_.AnyOpen(choices, now_), open) << model;
    ASSERT_EQ(pool_.Hopeless(choices, now_), hopeless) << model;
    ASSERT_EQ(pool_.AllDisabled(choices), none) << model;
  }

  void CompareKey(const KeyStatus& status) {
    SCOPED_TRACE(status.key_id);
    ASSERT_EQ(status.in_flight, naive_.InFlight(status.key_id));
    for (const ModelUsage& usage : status.usage) {
      const NaiveKeyPool::Cell cell{status.key_id, usage.model};
      const std::optional<Gauge>* const gauges[] = {&usage.rpm,  &usage.tpm, &usage.itpm,
                                                    &usage.otpm, &usage.rpd, &usage.tpd};
      for (std::size_t i = 0; i < kCountedKinds; ++i) {
        const auto kind = static_cast<LimitKind>(i);
        if (!*gauges[i]) continue;
        ASSERT_EQ((*gauges[i])->used, naive_.Used(cell, kind, now_)) << Name(kind);
      }
    }
  }

  static constexpr Duration kDay = NaiveKeyPool::kDay;
  enum class Weather : std::uint8_t { kFair, kChanging, kStorm };

  std::mt19937_64 random_;
  KeyPool pool_;
  NaiveKeyPool naive_;
  Instant now_ = kStart;
  Weather weather_ = Weather::kChanging;
  std::vector<std::pair<std::size_t, Admission>> in_flight_;
};

TEST(KeyPoolFuzz, SaysWhatANaivePoolSaysThatLooksAtEveryAttempt) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Duel duel(seed);
    for (int step = 0; step < 400; ++step) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", step " + std::to_string(step));
      duel.Step();
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace requestrouter::policy
