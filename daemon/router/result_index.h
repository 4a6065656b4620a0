#pragma once

#include <tsl/robin_map.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>

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
// word on what is replayed. What is known lies in the order of Add, beside a flat table of little
// else than half a hash each: nearly every request looks for an id that is not there, and each
// place in memory that it has to wait for was a sixtieth of all that it costs.
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
  struct Id {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
  };
  struct Entry {
    Id id;
    KnownResult known;
    policy::Instant expires;
  };
  struct AsItIs {
    std::size_t operator()(std::uint64_t hash) const noexcept { return hash; }
  };
  Id IdOf(std::uint32_t uid, std::string_view id) const;
  void Trim(policy::Instant now);
  void DropOldest();

  const std::size_t capacity_;
  std::uint64_t seed_ = 0;
  std::deque<Entry> entries_;  // in the order of Add; may hold replaced ones
  std::uint64_t dropped_ = 0;  // entries so far: the number of the first one
  tsl::robin_map<std::uint64_t, std::uint64_t, AsItIs> numbers_;  // of entries, by their low halves
};

}  // namespace requestrouter::router
