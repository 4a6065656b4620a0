#include "storage/sums.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <tuple>

#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

auto UsageKey(const Usage* usage) {
  return std::tuple(HourOf(usage->at), usage->uid, std::string_view(usage->agent),
                    std::string_view(usage->user_id), std::string_view(usage->key_id),
                    std::string_view(usage->model));
}

void AddTo(QuotaCount* count, const AttemptClosed& attempt) {
  ++count->requests;
  count->input_tokens += attempt.input_tokens;
  count->output_tokens += attempt.output_tokens;
  count->counted_tokens += attempt.counted_tokens;
}

}  // namespace

void Sums::Forget(const std::string& quota_group) {
  for (End& end : ends_) {
    if (end.opening->quota_group == quota_group) end.attempt.counted = false;
  }
}

void Sums::DropAfter(const Mark& mark) {
  ends_.resize(mark.ends);
  usages_.resize(mark.usages);
}

std::vector<std::int64_t> Sums::WriteTo(Database& database) {
  KeepFirstEnds();
  std::vector<std::int64_t> closed = WriteEnds(database);
  WriteUsage(database);
  return closed;
}

// Each attempt ends once: as was said of it first.
void Sums::KeepFirstEnds() {
  const auto id_of = [](const End& end) { return end.attempt.attempt_id; };
  std::ranges::stable_sort(ends_, {}, id_of);
  // Not std::ranges::unique: clang 14 cannot read what libstdc++ 12 makes of it.
  const auto same = [&](const End& a, const End& b) { return id_of(a) == id_of(b); };
  ends_.erase(std::unique(ends_.begin(), ends_.end(), same), ends_.end());
}

std::vector<std::int64_t> Sums::WriteEnds(Database& database) {
  const auto key = [](const End& end) {
    return std::tuple(std::string_view(end.opening->quota_group),
                      std::string_view(end.opening->model), SecondOf(end.opening->at));
  };
  std::ranges::sort(ends_, {}, key);
  std::vector<std::int64_t> closed;
  closed.reserve(ends_.size());
  for (auto end = ends_.begin(); end != ends_.end();) {
    QuotaCount count{end->opening->quota_group, end->opening->model, SecondOf(end->opening->at)};
    const auto first = key(*end);
    const std::size_t before = closed.size();
    for (; end != ends_.end() && key(*end) == first; ++end) {
      closed.push_back(end->attempt.attempt_id);
      if (end->attempt.counted) AddTo(&count, end->attempt);
    }
    SavePending(database, count, std::span(closed).subspan(before));
  }
  return closed;
}

void Sums::WriteUsage(Database& database) {
  std::ranges::sort(usages_, {}, UsageKey);
  for (auto next = usages_.begin(); next != usages_.end();) {
    Usage sum = **next;
    const auto first = UsageKey(*next);
    for (++next; next != usages_.end() && UsageKey(*next) == first; ++next) {
      const Usage& usage = **next;
      sum.requests += usage.requests;
      sum.errors += usage.errors;
      sum.input_tokens += usage.input_tokens;
      sum.output_tokens += usage.output_tokens;
      sum.cached_tokens += usage.cached_tokens;
      sum.cost_nano_usd += usage.cost_nano_usd;
    }
    SavePending(database, sum);
  }
}

}  // namespace requestrouter::storage
