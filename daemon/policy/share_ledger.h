#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

namespace requestrouter::policy {

// Who has had how much of one model, to be fair between uids that wait in different queues for it.
// Virtual times as in FairQueue.
class ShareLedger {
 public:
  static constexpr std::size_t kMaxUids = 4096;  // beyond, those without a lead are forgotten

  double TimeOf(std::uint32_t uid) const {
    const auto found = times_.find(uid);
    return found == times_.end() ? now_ : std::max(found->second, now_);
  }

  // `cost` is divided by the uid's weight already.
  void Charge(std::uint32_t uid, double cost) {
    now_ = TimeOf(uid);
    times_[uid] = now_ + cost;
    if (times_.size() > kMaxUids) {
      std::erase_if(times_, [&](const auto& entry) { return entry.second <= now_; });
    }
    if (times_.size() > kMaxUids) times_.clear();
  }

 private:
  double now_ = 0;
  std::unordered_map<std::uint32_t, double> times_;
};

}  // namespace requestrouter::policy
