#include "daemon/policy/forecast.h"

#include <algorithm>
#include <map>

namespace requestrouter::policy {
namespace {

constexpr std::size_t kMaxReleases = 8192;  // of one supply, about

LimitKind MinuteKind(std::size_t index) { return static_cast<LimitKind>(index); }
LimitKind DayKind(std::size_t index) { return static_cast<LimitKind>(kMinuteKinds + index); }

}  // namespace

Forecast::Forecast(const KeyPool& pool, const Choices& choices, Instant now) {
  std::map<const QuotaState*, Instant> usable;
  for (const CellId cell : pool.Cells(choices, SIZE_MAX)) {
    const Instant at = pool.HealthyAt(cell, now);
    const auto [entry, fresh] = usable.try_emplace(&pool.quota(cell), at);
    if (!fresh) entry->second = std::min(entry->second, at);
  }
  for (auto& [quota, at] : usable) {
    for (std::size_t i = 0; i < kDayKinds; ++i) {
      const DayCounter* day = quota->quota.Day(DayKind(i));
      if (day && !day->Fits(1, now)) at = std::max(at, day->ReadyAt(1, now));
    }
    first_ = std::min(first_, at);
  }
  const std::size_t max_points = std::max<std::size_t>(kMaxReleases / (usable.size() + 1), 4);
  for (const auto& [quota, at] : usable) {
    if (at != kNever) Add(quota->quota, at, max_points, now);
  }
  for (Supply& supply : supplies_) {
    std::sort(supply.releases.begin(), supply.releases.end(),
              [](const Release& a, const Release& b) { return a.at < b.at; });
  }
}

void Forecast::Add(const Quota& quota, Instant usable_at, std::size_t max_points, Instant now) {
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    AddMinute(supplies_[i], quota.Window(MinuteKind(i)), usable_at, max_points, now);
  }
  for (std::size_t i = 0; i < kDayKinds; ++i) {
    AddDay(day_supplies_[i], quota.Day(DayKind(i)), now);
  }
}

void Forecast::AddDay(DaySupply& supply, const DayCounter* day, Instant now) {
  supply.limited = supply.limited && day;
  if (!day) return;
  supply.left += std::max<std::int64_t>(day->limit() - day->Used(now), 0);
  supply.end = std::min(supply.end, day->ResetsAt(now));
}

void Forecast::AddMinute(Supply& supply, const SlidingWindow* window, Instant usable_at,
                         std::size_t max_points, Instant now) {
  if (!window) {
    supply.limited = false;
    return;
  }
  // A quota that is usable only later than a window from the first one gives its share so much
  // later that counting it into the rhythm would promise too much too early: it is left out.
  if (usable_at - first_ >= window->window()) return;
  supply.window = supply.limit == 0 ? window->window() : std::min(supply.window, window->window());
  supply.limit += window->limit();
  std::int64_t owed = window->Used(now) - window->limit();  // overrun: leaves first
  if (owed < 0) supply.releases.push_back({usable_at, -owed});
  for (const SlidingWindow::Point& point : window->Releases(now, max_points)) {
    const std::int64_t amount = point.amount - std::clamp<std::int64_t>(owed, 0, point.amount);
    owed -= point.amount - amount;
    if (amount > 0) supply.releases.push_back({std::max(point.at, usable_at), amount});
  }
}

Instant Forecast::When(const Amounts& need) const {
  Instant when = first_;
  if (when == kNever) return kNever;
  for (std::size_t i = 0; i < kMinuteKinds; ++i) {
    when = std::max(when, WhenOf(supplies_[i], need[i]));
  }
  for (std::size_t i = 0; i < kDayKinds; ++i) {
    const DaySupply& day = day_supplies_[i];
    if (day.limited && need[kMinuteKinds + i] > day.left) when = std::max(when, day.end);
  }
  return when;
}

Instant Forecast::WhenOf(const Supply& supply, std::int64_t need) const {
  if (!supply.limited || supply.limit <= 0 || need <= 0) return first_;
  const std::int64_t windows = (need - 1) / supply.limit;
  if (windows > 100'000) return kNever;
  std::int64_t left = need - windows * supply.limit;
  for (const Release& release : supply.releases) {
    left -= release.amount;
    if (left <= 0) return release.at + windows * supply.window;
  }
  return first_;
}

}  // namespace requestrouter::policy
