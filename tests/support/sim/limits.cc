#include "tests/support/sim/limits.h"

#include <algorithm>

namespace requestrouter::sim {

void Window::Forget(Instant now) {
  while (!taken_.empty() && now - taken_.front().first >= length_) {
    used_ -= taken_.front().second;
    taken_.pop_front();
  }
}

bool Window::Fits(std::int64_t amount, Instant now) { return Used(now) + amount <= limit_; }

std::optional<Instant> Window::FitsAt(std::int64_t amount, Instant now) {
  if (amount > limit_) return std::nullopt;
  std::int64_t used = Used(now);
  Instant at = now;
  for (auto oldest = taken_.begin(); used + amount > limit_; ++oldest) {
    used -= oldest->second;
    at = oldest->first + length_;
  }
  return at;
}

void Window::Take(std::int64_t amount, Instant now) {
  taken_.emplace_back(now, amount);
  used_ += amount;
  total_ += amount;
}

std::int64_t Window::Used(Instant now) {
  Forget(now);
  return used_;
}

Instant Window::EmptyAt(Instant now) {
  Forget(now);
  return taken_.empty() ? now : taken_.back().first + length_;
}

const char* NameOf(Limit limit) {
  static constexpr std::array kNames = {"rpm", "tpm", "itpm", "otpm", "rpd", "tpd"};
  return kNames[static_cast<std::size_t>(limit)];
}

bool IsDaily(Limit limit) { return limit == Limit::kRpd || limit == Limit::kTpd; }

bool IsOfTokens(Limit limit) { return limit != Limit::kRpm && limit != Limit::kRpd; }

Quota::Quota(const LimitSet& limits) {
  for (const Limit limit : kAllLimits) {
    if (!limits[limit]) continue;
    slots_.push_back({limit, Window(*limits[limit], IsDaily(limit) ? limits.day : limits.minute)});
  }
}

std::int64_t Quota::AmountOf(Limit limit, const Cost& cost) {
  if (!IsOfTokens(limit)) return 1;
  if (limit == Limit::kInputTpm) return cost.input - cost.cached;
  if (limit == Limit::kOutputTpm) return cost.output;
  if (cost.counts == Counts::kInput) return cost.input;
  return cost.input + (cost.counts == Counts::kInputAndOutput ? cost.output : cost.max_output);
}

std::optional<Refusal> Quota::Take(const Cost& cost, Instant now) {
  Refusal refusal;
  for (auto& [limit, window] : slots_) {
    const std::int64_t amount = AmountOf(limit, cost);
    if (window.Fits(amount, now)) continue;
    refusal.violations.push_back({limit, window.limit(), window.Used(now), amount});
    const Instant fits = window.FitsAt(amount, now).value_or(now + window.length());
    refusal.retry_after = std::max(refusal.retry_after, std::chrono::ceil<Millis>(fits - now));
  }
  if (!refusal.violations.empty()) return refusal;
  for (auto& [limit, window] : slots_) window.Take(AmountOf(limit, cost), now);
  return std::nullopt;
}

void Quota::Change(const LimitSet& limits) {
  for (const Limit limit : kAllLimits) {
    const auto slot = std::find_if(slots_.begin(), slots_.end(),
                                   [&](const Slot& one) { return one.limit == limit; });
    if (!limits[limit]) {
      if (slot != slots_.end()) slots_.erase(slot);
    } else if (slot != slots_.end()) {
      slot->window.set_limit(*limits[limit]);
    } else {
      slots_.push_back(
          {limit, Window(*limits[limit], IsDaily(limit) ? limits.day : limits.minute)});
    }
  }
}

std::vector<Quota::State> Quota::States(Instant now) {
  std::vector<State> states;
  for (auto& [limit, window] : slots_) {
    states.push_back({limit, window.limit(), window.Used(now), window.total(), window.length(),
                      std::chrono::ceil<Millis>(window.EmptyAt(now) - now)});
  }
  return states;
}

}  // namespace requestrouter::sim
