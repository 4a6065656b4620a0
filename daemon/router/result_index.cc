#include "daemon/router/result_index.h"

#include <xxhash.h>

#include <random>

namespace requestrouter::router {

ResultIndex::ResultIndex(std::size_t capacity) : capacity_(capacity) {
  std::random_device device;
  seed_ = (std::uint64_t{device()} << 32) | device();
}

ResultIndex::Id ResultIndex::IdOf(std::uint32_t uid, std::string_view id) const {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(id.data(), id.size(), seed_ ^ uid);
  return {hash.low64, hash.high64};
}

void ResultIndex::Add(std::uint32_t uid, std::string_view id, std::string_view digest,
                      std::int64_t result_id, policy::Instant expires) {
  entries_.push_back({IdOf(uid, id), {{}, result_id}, expires});
  Entry& entry = entries_.back();
  digest.copy(entry.known.digest.data(), entry.known.digest.size());
  numbers_[entry.id.low] = dropped_ + entries_.size() - 1;
  while (entries_.size() > capacity_) DropOldest();
}

void ResultIndex::Remove(std::uint32_t uid, std::string_view id) {
  numbers_.erase(IdOf(uid, id).low);
}

std::optional<KnownResult> ResultIndex::Find(std::uint32_t uid, std::string_view id,
                                             policy::Instant now) {
  Trim(now);
  const Id wanted = IdOf(uid, id);
  const auto number = numbers_.find(wanted.low);
  if (number == numbers_.end()) return std::nullopt;
  const Entry& entry = entries_[number->second - dropped_];
  if (entry.id.high != wanted.high) return std::nullopt;
  return entry.known;
}

void ResultIndex::Trim(policy::Instant now) {
  while (!entries_.empty() && entries_.front().expires <= now) DropOldest();
}

// An id that was added again since lives on.
void ResultIndex::DropOldest() {
  const auto number = numbers_.find(entries_.front().id.low);
  if (number != numbers_.end() && number->second == dropped_) numbers_.erase(number);
  entries_.pop_front();
  ++dropped_;
}

}  // namespace requestrouter::router
