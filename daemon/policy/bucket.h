#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/policy/pool_config.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// A bucket of `per_minute` requests a minute that holds at most `burst`, as one instant: the time
// at which the bucket is full again (the generic cell rate algorithm, ITU-T I.371).
class Bucket {
 public:
  // Values below 1 count as 1.
  explicit Bucket(const BucketSpec& spec);

  // Keeps how full it is.
  void SetSpec(const BucketSpec& spec);

  // When the `nth` of the next requests could go (1: the next one).
  Instant ReadyAt(Instant now, std::int64_t nth = 1) const;
  // Takes one; `at` not before ReadyAt.
  void Take(Instant at);
  // Undoes one Take.
  void GiveBack();
  bool full(Instant now) const { return full_at_ <= now; }
  Instant full_at() const { return full_at_; }

 private:
  Duration interval_{};
  std::int64_t burst_ = 1;
  Instant full_at_ = Instant::min() + std::chrono::hours(24 * 365);  // far enough from overflow
};

// The buckets of all (uid, user_id) pairs. Bounded: full buckets are forgotten, as a new one is
// the same; beyond kMaxBuckets those that are nearly full go too.
class CallerLimits {
 public:
  static constexpr std::size_t kMaxBuckets = 65'536;

  void Configure(const std::optional<BucketSpec>& spec);

  // The instant from which on this request may go, taken from the bucket: requests over the limit
  // get later and later instants. nullopt, and nothing taken, where that is after `latest`.
  std::optional<Instant> Book(std::uint32_t uid, std::string_view user_id, Instant now,
                              Instant latest);
  // When the next one could go.
  Instant ReadyAt(std::uint32_t uid, std::string_view user_id, Instant now) const;
  // The booked request was not sent after all.
  void GiveBack(std::uint32_t uid, std::string_view user_id);

  std::size_t size() const { return buckets_.size(); }

 private:
  using Key = std::pair<std::uint32_t, std::string>;
  void Shrink(Instant now);

  std::optional<BucketSpec> spec_;
  std::map<Key, Bucket> buckets_;
};

}  // namespace requestrouter::policy
