#include "daemon/policy/bucket.h"

#include <algorithm>
#include <vector>

namespace requestrouter::policy {

Bucket::Bucket(const BucketSpec& spec) { SetSpec(spec); }

void Bucket::SetSpec(const BucketSpec& spec) {
  interval_ = std::chrono::minutes(1) / std::max<std::int64_t>(spec.per_minute, 1);
  burst_ = std::clamp<std::int64_t>(spec.burst, 1, 1'000'000);
}

Instant Bucket::ReadyAt(Instant now, std::int64_t nth) const {
  return std::max(now, std::max(now, full_at_) + (nth - burst_) * interval_);
}

void Bucket::Take(Instant at) { full_at_ = std::max(full_at_, at) + interval_; }

void Bucket::GiveBack() { full_at_ -= interval_; }

void CallerLimits::Configure(const std::optional<BucketSpec>& spec) {
  spec_ = spec;
  if (!spec_) return buckets_.clear();
  for (auto& [key, bucket] : buckets_) bucket.SetSpec(*spec_);
}

std::optional<Instant> CallerLimits::Book(std::uint32_t uid, std::string_view user_id, Instant now,
                                          Instant latest) {
  if (!spec_ || user_id.empty()) return now;
  if (buckets_.size() >= kMaxBuckets) Shrink(now);
  Bucket& bucket = buckets_.try_emplace(Key(uid, user_id), *spec_).first->second;
  const Instant slot = bucket.ReadyAt(now);
  if (slot > latest) return std::nullopt;
  bucket.Take(now);
  return slot;
}

Instant CallerLimits::ReadyAt(std::uint32_t uid, std::string_view user_id, Instant now) const {
  const auto found = buckets_.find(Key(uid, user_id));
  return found == buckets_.end() ? now : found->second.ReadyAt(now);
}

void CallerLimits::GiveBack(std::uint32_t uid, std::string_view user_id) {
  const auto found = buckets_.find(Key(uid, user_id));
  if (found != buckets_.end()) found->second.GiveBack();
}

void CallerLimits::Shrink(Instant now) {
  std::erase_if(buckets_, [&](const auto& entry) { return entry.second.full(now); });
  if (buckets_.size() < kMaxBuckets / 2) return;
  std::vector<Instant> ends;
  for (const auto& [key, bucket] : buckets_) ends.push_back(bucket.full_at());
  const auto middle = ends.begin() + static_cast<std::ptrdiff_t>(ends.size() / 2);
  std::nth_element(ends.begin(), middle, ends.end());
  std::erase_if(buckets_, [&](const auto& entry) { return entry.second.full_at() <= *middle; });
}

}  // namespace requestrouter::policy
