#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/registry.h>

#include "daemon/router/catalog.h"
#include "daemon/router/observer.h"
#include "storage/sqlite_store.h"

namespace requestrouter::ops {

// What is counted and measured while requests are served. Everything is a series of a bounded set:
// labels are configured keys and models, error types and kinds of faults, never what a caller or a
// provider wrote. The series of a key's model are looked up once an attempt and are there before
// its first, so that a rate sees that one, too.
//
// Router thread only, but for Collect (any thread) and Committed (the storage thread): the counters
// themselves are thread-safe.
class Meters final : public router::Observer {
 public:
  Meters();
  ~Meters() override;
  Meters(const Meters&) = delete;
  Meters& operator=(const Meters&) = delete;

  // At start and after every reload that worked, at wall time `now`.
  void Configure(std::shared_ptr<const router::Catalog> catalog, storage::Millis now);
  void ReloadFailed();

  // A message that is no request.
  void Malformed(ipc::ErrorType type);

  void Committed(const storage::Commit& commit);

  void TurnedAway(ipc::ErrorType type) override;
  void Replayed() override;
  void AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                    const policy::Report& report) override;
  void KeyChanged(const policy::KeyStatus& status, policy::FaultKind cause) override;
  void Ended(const router::LiveRequest& live, const router::Ending& ending) override;

  std::vector<prometheus::MetricFamily> Collect() const { return registry_.Collect(); }

 private:
  static constexpr std::size_t kErrorTypes =
      1 + static_cast<std::size_t>(ipc::ErrorType::kInternalError);

  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  // The series of one key and model.
  struct Series {
    std::array<prometheus::Counter*, policy::kFaultKinds> attempts{};  // by FaultKind
    prometheus::Counter* cancelled = nullptr;
    prometheus::Counter* input = nullptr;
    prometheus::Counter* cached_input = nullptr;
    prometheus::Counter* output = nullptr;
    prometheus::Counter* reasoning = nullptr;
    prometheus::Counter* cost = nullptr;  // null: no price is known
    std::map<std::string, prometheus::Counter*, std::less<>> rate_limited;  // by quota
    prometheus::Histogram* duration = nullptr;
    prometheus::Histogram* first_byte = nullptr;
  };

  Series MakeSeries(const std::string& key_id, const std::string& model);
  Series& SeriesOf(const policy::Grant& grant);
  void CountRateLimit(Series& series, const policy::Grant& grant, const policy::Report& report);
  void CountTokens(Series& series, const std::string& model, const ipc::TokenUsage& tokens);
  void CountCooldown(const std::string& key_id, const std::string& model,
                     const policy::Cooldown& cooldown, policy::FaultKind cause);

  prometheus::Registry registry_;
  Counters& requests_;
  prometheus::Counter& answered_;
  std::array<prometheus::Counter*, kErrorTypes> failed_{};     // by ErrorType
  std::array<prometheus::Counter*, kErrorTypes> malformed_{};  // likewise; null: cannot be
  prometheus::Counter& replayed_;
  prometheus::Counter& fallbacks_;
  prometheus::Histogram& duration_;
  prometheus::Histogram& wait_;
  Histograms& overhead_;
  prometheus::Histogram& overhead_stored_;
  prometheus::Histogram& overhead_one_shot_;
  Counters& attempts_;
  Counters& rate_limited_;
  Counters& tokens_;
  Counters& cost_;
  Histograms& upstream_duration_;
  Histograms& first_byte_;
  Counters& key_cooldowns_;
  Counters& provider_cooldowns_;
  prometheus::Histogram& commits_;
  prometheus::Counter& writes_;
  prometheus::Counter& failed_commits_;
  prometheus::Gauge& reload_worked_;
  prometheus::Gauge& reloaded_at_;

  std::shared_ptr<const router::Catalog> catalog_;
  using KeyAndModel = std::tuple<std::string, std::string>;  // searched with std::tie
  std::map<KeyAndModel, Series, std::less<>> series_;
  // The end of the last cooldown counted; the model is empty where it is the whole key's.
  std::map<KeyAndModel, policy::Instant, std::less<>> cooldowns_;
};

}  // namespace requestrouter::ops
