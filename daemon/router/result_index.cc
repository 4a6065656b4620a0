#include "daemon/router/result_index.h"

#include <xxhash.h>

#include <random>

namespace requestrouter::router {

ResultIndex::ResultIndex(std::size_t capacity) : capacity_(capacity) {
  std::random_device device;
  seed_ = (std::uint64_t{device()} << 32) | device();
}

ResultIndex::Key ResultIndex::KeyOf(std::uint32_t uid, std::string_view id) const {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(id.data(), id.size(), seed_ ^ uid);
  return {hash.low64, hash.high64};
}

void ResultIndex::Add(std::uint32_t uid, std::string_view id, std::string_view digest,
                      std::int64_t result_id, policy::Instant expires) {
  const Key key = KeyOf(uid, id);
  Entry entry{{{}, result_id}, expires};
  digest.copy(entry.known.digest.data(), entry.known.digest.size());
  entries_.insert_or_assign(key, entry);
  order_.emplace_back(expires, key);
  while (order_.size() > capacity_) DropOldest();
}

void ResultIndex::Remove(std::uint32_t uid, std::string_view id) { entries_.erase(KeyOf(uid, id)); }

std::optional<KnownResult> ResultIndex::Find(std::uint32_t uid, std::string_view id,
                                             policy::Instant now) {
  Trim(now);
  const auto found = entries_.find(KeyOf(uid, id));
  if (found == entries_.end()) return std::nullopt;
  return found->second.known;
}

void ResultIndex::Trim(policy::Instant now) {
  while (!order_.empty() && order_.front().first <= now) DropOldest();
}

// An id that was added again since lives on.
void ResultIndex::DropOldest() {
  const auto& [expires, key] = order_.front();
  const auto found = entries_.find(key);
  if (found != entries_.end() && found->second.expires <= expires) entries_.erase(found);
  order_.pop_front();
}

}  // namespace requestrouter::router
