#pragma once

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <utility>

#include "daemon/router/clock.h"

namespace requestrouter::router {

// A request whose final reply is stored.
struct KnownResult {
  std::array<char, 16> digest{};  // of the body that its id was used with (ipc::Digest)
  std::int64_t result_id = 0;     // of storage

  std::string_view body_digest() const { return {digest.data(), digest.size()}; }
};

// Which request ids have a stored final reply, so that a new request costs no look-up in the
// database. The replies themselves are in storage. Bounded in number: the oldest are forgotten.
// Router thread only.
//
// Of an id its hash is kept (XXH3, 128 bits, with a seed that nobody else knows): a third of the
// memory. Two ids of the same hash would be taken for one; storage, which knows both, has the last
// word on what is replayed. The table is flat: each look at one made of nodes waits for memory
// several times, which was a thirtieth of all that a request costs.
class ResultIndex {
 public:
  explicit ResultIndex(std::size_t capacity);

  // `digest`: of 16 bytes.
  void Add(std::uint32_t uid, std::string_view id, std::string_view digest, std::int64_t result_id,
           policy::Instant expires);
  void Remove(std::uint32_t uid, std::string_view id);

  // nullopt: not known, or expired.
  std::optional<KnownResult> Find(std::uint32_t uid, std::string_view id, policy::Instant now);

 private:
  using Key = std::pair<std::uint64_t, std::uint64_t>;
  struct Hash {
    std::size_t operator()(const Key& key) const noexcept { return key.first; }
  };
  struct Entry {
    KnownResult known;
    policy::Instant expires;
  };
  Key KeyOf(std::uint32_t uid, std::string_view id) const;
  void Trim(policy::Instant now);
  void DropOldest();

  const std::size_t capacity_;
  std::uint64_t seed_ = 0;
  tsl::robin_map<Key, Entry, Hash> entries_;
  std::deque<std::pair<policy::Instant, Key>> order_;  // of Add; may name replaced entries
};

}  // namespace requestrouter::router
