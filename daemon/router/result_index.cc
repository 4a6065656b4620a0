#include "daemon/router/result_index.h"

namespace requestrouter::router {

std::string ResultIndex::KeyOf(std::uint32_t uid, const std::string& id) {
  return std::to_string(uid) + '/' + id;
}

void ResultIndex::Add(std::uint32_t uid, const std::string& id, std::string digest,
                      policy::Instant expires) {
  std::string key = KeyOf(uid, id);
  entries_.insert_or_assign(key, Entry{std::move(digest), expires});
  order_.emplace_back(expires, std::move(key));
  while (order_.size() > capacity_) {
    entries_.erase(order_.front().second);
    order_.pop_front();
  }
}

void ResultIndex::Remove(std::uint32_t uid, const std::string& id) {
  entries_.erase(KeyOf(uid, id));
}

const std::string* ResultIndex::Find(std::uint32_t uid, const std::string& id,
                                     policy::Instant now) {
  Trim(now);
  const auto found = entries_.find(KeyOf(uid, id));
  return found == entries_.end() ? nullptr : &found->second.digest;
}

void ResultIndex::Trim(policy::Instant now) {
  while (!order_.empty() && order_.front().first <= now) {
    const auto found = entries_.find(order_.front().second);
    if (found != entries_.end() && found->second.expires <= now) entries_.erase(found);
    order_.pop_front();
  }
}

}  // namespace requestrouter::router
