#include "daemon/ops/meters.h"

#include <algorithm>

namespace requestrouter::ops {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using ipc::ErrorType;
using policy::FaultKind;
using prometheus::Counter;

// In seconds. Waits last from nothing to a minute's window and more, calls as long as models think,
// the daemon's own work should be well below a millisecond, a commit is a sync of the disk.
const Buckets kWaits = {0.005, 0.05, 0.25, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600};
const Buckets kCalls = {0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640};
const Buckets kOwn = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                      0.025,  0.05,    0.1,    0.25,  0.5,    1};

constexpr std::string_view kProviderPrefix = "provider/";  // see policy::KnownHealth

// Those of ipc::DecodeRequest.
constexpr std::array kMalformed = {ErrorType::kInvalidRequest, ErrorType::kUnsupportedVersion,
                                   ErrorType::kUnknownOp, ErrorType::kPayloadTooLarge};

std::size_t IndexOf(ErrorType type) { return static_cast<std::size_t>(type); }
std::size_t IndexOf(FaultKind kind) { return static_cast<std::size_t>(kind); }

double Seconds(policy::Duration duration) {
  return std::max(0.0, std::chrono::duration<double>(duration).count());
}

auto& NewCounters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}

auto& NewGauge(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry).Add({});
}

auto& NewHistograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

bool SameCooldown(const policy::Cooldown& one, const policy::Cooldown& other) {
  return one.until == other.until && one.reason == other.reason;
}

}  // namespace

Meters::Meters()
    : requests_(NewCounters(registry_, "requestrouter_requests_total",
                            "Chat requests that ended, by ok or the type of their error.")),
      answered_(requests_.Add({{"outcome", "ok"}})),
      replayed_(NewCounters(registry_, "requestrouter_replayed_requests_total",
                            "Chat requests that were answered from the records of an earlier one"
                            " with their id.")
                    .Add({})),
      fallbacks_(NewCounters(registry_, "requestrouter_fallback_requests_total",
                             "Chat requests that another model answered than was asked for.")
                     .Add({})),
      duration_(NewHistograms(registry_, "requestrouter_request_duration_seconds",
                              "From the arrival of a chat request to its answer.")
                    .Add({}, kCalls)),
      wait_(NewHistograms(registry_, "requestrouter_wait_seconds",
                          "How long chat requests waited for a key with room, in all.")
                .Add({}, kWaits)),
      overhead_(NewHistograms(registry_, "requestrouter_overhead_seconds",
                              "What routerd itself added to an answered request: neither waiting"
                              " nor the provider. Stored turns hold a commit.")),
      overhead_stored_(overhead_.Add({{"stored", "true"}}, kOwn)),
      overhead_one_shot_(overhead_.Add({{"stored", "false"}}, kOwn)),
      attempts_(NewCounters(registry_, "requestrouter_upstream_attempts_total",
                            "Calls of providers, by ok or whose fault it was.")),
      rate_limited_(NewCounters(registry_, "requestrouter_upstream_rate_limited_total",
                                "Calls that a provider refused because a quota was spent, by the"
                                " limit it named.")),
      tokens_(NewCounters(registry_, "requestrouter_tokens_total",
                          "Tokens as providers count them; the kinds exclude each other.")),
      cost_(NewCounters(registry_, "requestrouter_cost_usd_total",
                        "What the tokens cost, where the model's price is configured.")),
      upstream_duration_(NewHistograms(registry_, "requestrouter_upstream_duration_seconds",
                                       "From connecting to the end of a provider's answer.")),
      first_byte_(NewHistograms(registry_, "requestrouter_upstream_first_byte_seconds",
                                "From sending to the first byte of a provider's answer.")),
      key_cooldowns_(
          NewCounters(registry_, "requestrouter_cooldowns_total",
                      "Times that a key, or one model of it, was put aside, and for whose"
                      " fault.")),
      provider_cooldowns_(NewCounters(registry_, "requestrouter_provider_cooldowns_total",
                                      "Times that a provider was left alone because several keys"
                                      " failed alike.")),
      commits_(NewHistograms(registry_, "requestrouter_storage_commit_seconds",
                             "How long the database took to write one group of changes.")
                   .Add({}, kOwn)),
      writes_(NewCounters(registry_, "requestrouter_storage_writes_total",
                          "Changes written to the database; several share a commit.")
                  .Add({})),
      failed_commits_(NewCounters(registry_, "requestrouter_storage_failed_commits_total",
                                  "Groups of changes that the disk or the database refused.")
                          .Add({})),
      reload_worked_(NewGauge(registry_, "requestrouter_config_last_reload_successful",
                              "Whether the last reading of the configuration worked.")),
      reloaded_at_(NewGauge(registry_, "requestrouter_config_last_reload_success_timestamp_seconds",
                            "When the configuration in force was read.")) {
  auto& malformed = NewCounters(registry_, "requestrouter_malformed_requests_total",
                                "Messages that were answered with an error because they are no"
                                " request, by its type.");
  for (const ErrorType type : kMalformed) {
    malformed_[IndexOf(type)] = &malformed.Add({{"reason", std::string(ipc::Name(type))}});
  }
  for (std::size_t i = 0; i < kErrorTypes; ++i) {
    const auto type = static_cast<ErrorType>(i);
    failed_[i] = &requests_.Add({{"outcome", std::string(ipc::Name(type))}});
  }
}

Meters::~Meters() = default;

void Meters::Configure(std::shared_ptr<const router::Catalog> catalog, storage::Millis now) {
  catalog_ = std::move(catalog);
  for (const config::Key& key : catalog_->config().keys) {
    for (const config::ModelOfKey& model : key.models) {
      if (series_.find(std::tie(key.key_id, model.name)) != series_.end()) continue;
      series_.emplace(std::tie(key.key_id, model.name), MakeSeries(key.key_id, model.name));
    }
  }
  reload_worked_.Set(1);
  reloaded_at_.Set(static_cast<double>(now) / 1e3);
}

void Meters::ReloadFailed() { reload_worked_.Set(0); }

Meters::Series Meters::MakeSeries(const std::string& key_id, const std::string& model) {
  const auto with = [&](const char* name, const char* value) -> prometheus::Labels {
    return {{"key", key_id}, {"model", model}, {name, value}};
  };
  Series series;
  for (std::size_t i = 0; i < policy::kFaultKinds; ++i) {
    series.attempts[i] = &attempts_.Add(with("outcome", policy::Name(static_cast<FaultKind>(i))));
  }
  series.cancelled = &attempts_.Add(with("outcome", "cancelled"));
  series.input = &tokens_.Add(with("kind", "input"));
  series.cached_input = &tokens_.Add(with("kind", "cached_input"));
  series.output = &tokens_.Add(with("kind", "output"));
  series.reasoning = &tokens_.Add(with("kind", "reasoning"));
  if (catalog_->CostOf(model, {})) series.cost = &cost_.Add({{"key", key_id}, {"model", model}});
  for (const char* quota : {"minute", "day"}) {
    series.rate_limited[quota] = &rate_limited_.Add(with("quota", quota));
  }
  const auto provider = catalog_->ProviderOf(key_id);
  const prometheus::Labels of = {{"provider", provider ? provider->name : ""}, {"model", model}};
  series.duration = &upstream_duration_.Add(of, kCalls);
  series.first_byte = &first_byte_.Add(of, kCalls);
  return series;
}

// A key that a reload took away may still have attempts under way.
Meters::Series& Meters::SeriesOf(const policy::Grant& grant) {
  const auto found = series_.find(std::tie(grant.key_id, grant.model));
  if (found != series_.end()) return found->second;
  return series_.emplace(std::tie(grant.key_id, grant.model), MakeSeries(grant.key_id, grant.model))
      .first->second;
}

void Meters::Malformed(ErrorType type) {
  if (Counter* counter = malformed_[IndexOf(type)]) counter->Increment();
}

void Meters::Committed(const storage::Commit& commit) {
  commits_.Observe(Seconds(commit.took));
  if (commit.worked) {
    writes_.Increment(static_cast<double>(commit.writes));
  } else {
    failed_commits_.Increment();
  }
}

void Meters::TurnedAway(ErrorType type) { failed_[IndexOf(type)]->Increment(); }

void Meters::Replayed() { replayed_.Increment(); }

void Meters::AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                          const policy::Report& report) {
  Series& series = SeriesOf(*live.grant);
  if (!report.conclusive) {
    series.cancelled->Increment();
  } else {
    series.attempts[IndexOf(report.fault.kind)]->Increment();
  }
  CountRateLimit(series, *live.grant, report);
  if (outcome.answer) CountTokens(series, live.grant->model, outcome.answer->tokens);
  if (report.conclusive && report.fault.kind == FaultKind::kNone) {
    series.duration->Observe(Seconds(outcome.ended_at - outcome.began_at));
    series.first_byte->Observe(Seconds(outcome.first_byte));
  }
}

void Meters::CountRateLimit(Series& series, const policy::Grant& grant,
                            const policy::Report& report) {
  const FaultKind kind = report.fault.kind;
  if (kind != FaultKind::kMinuteQuota && kind != FaultKind::kDayQuota) return;
  const char* quota = kind == FaultKind::kDayQuota ? "day"
                      : report.spent.empty()       ? "minute"
                                                   : policy::Name(report.spent.front());
  Counter*& counter = series.rate_limited[quota];
  if (!counter) {
    counter = &rate_limited_.Add({{"key", grant.key_id}, {"model", grant.model}, {"quota", quota}});
  }
  counter->Increment();
}

void Meters::CountTokens(Series& series, const std::string& model, const ipc::TokenUsage& tokens) {
  series.input->Increment(static_cast<double>(tokens.input - tokens.cached));
  series.cached_input->Increment(static_cast<double>(tokens.cached));
  series.output->Increment(static_cast<double>(tokens.output - tokens.reasoning));
  series.reasoning->Increment(static_cast<double>(tokens.reasoning));
  if (series.cost) series.cost->Increment(catalog_->CostOf(model, tokens).value_or(0));
}

void Meters::KeyChanged(const policy::KeyStatus& status, FaultKind cause) {
  const auto is_of_a_model = [&](const policy::Cooldown& cooldown) {
    return std::any_of(status.model_cooldowns.begin(), status.model_cooldowns.end(),
                       [&](const auto& one) { return SameCooldown(one.cooldown, cooldown); });
  };
  for (const policy::ModelCooldown& one : status.model_cooldowns) {
    if (one.state == policy::KeyStateName::kCooling) {
      CountCooldown(status.key_id, one.model, one.cooldown, cause);
    }
  }
  if (!status.cooldown) {
    cooldowns_.erase({status.key_id, ""});
    return;
  }
  const bool aside = status.state == policy::KeyStateName::kCooling ||
                     status.state == policy::KeyStateName::kDisabled;
  if (aside && !status.disabled_by_operator && !is_of_a_model(*status.cooldown)) {
    CountCooldown(status.key_id, "", *status.cooldown, cause);
  }
}

void Meters::CountCooldown(const std::string& key_id, const std::string& model,
                           const policy::Cooldown& cooldown, FaultKind cause) {
  const auto [seen, is_first] = cooldowns_.try_emplace({key_id, model}, cooldown.until);
  if (!is_first && seen->second == cooldown.until) return;
  seen->second = cooldown.until;
  const std::string reason = policy::Name(cause);
  if (key_id.rfind(kProviderPrefix, 0) == 0) {
    const std::string provider = key_id.substr(kProviderPrefix.size());
    provider_cooldowns_.Add({{"provider", provider}, {"reason", reason}}).Increment();
  } else {
    key_cooldowns_.Add({{"key", key_id}, {"model", model}, {"reason", reason}}).Increment();
  }
}

void Meters::Ended(const router::LiveRequest& live, const router::Ending& ending) {
  if (ending.error) {
    failed_[IndexOf(ending.error->type)]->Increment();
  } else {
    answered_.Increment();
    if (ending.reply->fallback) fallbacks_.Increment();
    const policy::Duration others = live.waited + live.at_provider;
    auto& overhead = live.stored() ? overhead_stored_ : overhead_one_shot_;
    overhead.Observe(Seconds(ending.at - live.begun - others));
  }
  duration_.Observe(Seconds(ending.at - live.received));
  if (live.queued()) wait_.Observe(Seconds(live.WaitedUntil(ending.at)));
}

}  // namespace requestrouter::ops
