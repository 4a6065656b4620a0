#include "storage/write_queue.h"

#include <memory>
#include <utility>
#include <variant>

namespace requestrouter::storage {
namespace {

// Writes in one transaction at most, so that the first of a flood is not kept waiting for the last.
constexpr std::size_t kGroup = 512;

// How long ends of requests that nobody waits for may wait for others to be written with: on a busy
// core each would else be a transaction of its own.
constexpr std::chrono::milliseconds kCompany{5};

// Whether somebody waits for it, or it should be known soon should the process end.
bool IsUrgent(const Write& write, Durability durability) {
  const bool is_end = std::holds_alternative<std::shared_ptr<const Finish>>(write);
  return !is_end || durability == Durability::kFull;
}

}  // namespace

void WriteQueue::Submit(Write write, Durability durability, Store::Done<Written> done) {
  const bool urgent = IsUrgent(write, durability);
  bool wake = false;
  {
    const threads::Lock lock(mutex_);
    wake = urgent || jobs_.empty() || jobs_.size() + 1 == kGroup;
    jobs_.push_back({std::move(write), durability, std::move(done), urgent});
    urgent_ += urgent ? 1 : 0;
  }
  if (wake) wake_.notify_one();
}

void WriteQueue::Stop() {
  {
    const threads::Lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
}

bool WriteQueue::empty() const {
  const threads::Lock lock(mutex_);
  return jobs_.empty();
}

std::optional<std::vector<WriteQueue::Job>> WriteQueue::Take(
    std::optional<std::chrono::milliseconds> patience) {
  threads::Lock lock(mutex_);
  const auto ready = [this]() RR_REQUIRES(mutex_) { return stopping_ || !jobs_.empty(); };
  if (!patience) {
    lock.Wait(wake_, ready);
  } else if (!lock.WaitFor(wake_, *patience, ready)) {
    return std::vector<Job>{};
  }
  if (jobs_.empty()) return std::nullopt;
  AwaitCompany(lock);
  return TakeGroup();
}

void WriteQueue::AwaitCompany(threads::Lock& lock) {
  lock.WaitFor(wake_, kCompany, [this]() RR_REQUIRES(mutex_) {
    return stopping_ || urgent_ > 0 || jobs_.size() >= kGroup;
  });
}

// A restore is a group of its own, because it is a transaction of its own.
std::vector<WriteQueue::Job> WriteQueue::TakeGroup() {
  std::vector<Job> group;
  while (!jobs_.empty() && group.size() < kGroup) {
    const bool alone = std::holds_alternative<Restore>(jobs_.front().write);
    if (alone && !group.empty()) break;
    urgent_ -= jobs_.front().urgent ? 1 : 0;
    group.push_back(std::move(jobs_.front()));
    jobs_.pop_front();
    if (alone) break;
  }
  return group;
}

}  // namespace requestrouter::storage
