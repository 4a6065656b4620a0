#pragma once

#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "daemon/router/clock.h"

namespace requestrouter::router {

// Which request ids have a stored final reply, so that a new request costs no look-up in the
// database. The replies themselves are in storage. Bounded in number: the oldest are forgotten.
// Router thread only.
class ResultIndex {
 public:
  explicit ResultIndex(std::size_t capacity) : capacity_(capacity) {}

  void Add(std::uint32_t uid, const std::string& id, std::string digest, policy::Instant expires);
  void Remove(std::uint32_t uid, const std::string& id);

  // The digest of the body that the id was used with; nullptr: not known, or expired.
  const std::string* Find(std::uint32_t uid, const std::string& id, policy::Instant now);

 private:
  struct Entry {
    std::string digest;
    policy::Instant expires;
  };
  static std::string KeyOf(std::uint32_t uid, const std::string& id);
  void Trim(policy::Instant now);

  const std::size_t capacity_;
  std::unordered_map<std::string, Entry> entries_;
  std::deque<std::pair<policy::Instant, std::string>> order_;  // of Add; may name replaced entries
};

}  // namespace requestrouter::router
