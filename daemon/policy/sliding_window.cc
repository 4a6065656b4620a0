#include "daemon/policy/sliding_window.h"

#include <algorithm>

#include "daemon/policy/invariant.h"

namespace requestrouter::policy {
namespace {

bool Before(const SlidingWindow::Point& point, Instant at) { return point.at < at; }

}  // namespace

SlidingWindow::SlidingWindow(std::int64_t limit, Duration window)
    : limit_(limit), window_(window) {}

void SlidingWindow::SetLimit(std::int64_t limit, Duration window) {
  limit_ = limit;
  window_ = window;
}

std::int64_t SlidingWindow::Used(Instant now) const {
  Expire(now);
  return used_;
}

bool SlidingWindow::Fits(std::int64_t amount, Instant now) const {
  return amount <= limit_ - Used(now);
}

Instant SlidingWindow::ReadyAt(std::int64_t amount, Instant now) const {
  if (Fits(amount, now)) return now;
  if (amount > limit_) return kNever;
  std::int64_t missing = amount - (limit_ - used_);
  for (const Point& point : points_) {
    missing -= point.amount;
    if (missing <= 0) return point.at + window_;
  }
  return kNever;
}

void SlidingWindow::Add(std::int64_t amount, Instant at) {
  if (amount <= 0) return;
  used_ += amount;
  if (points_.empty() || points_.back().at < at) {
    points_.push_back({at, amount});
    if (points_.size() > kMaxPoints) Merge();
    return;
  }
  const auto place = std::lower_bound(points_.begin(), points_.end(), at, Before);
  if (place->at == at) {
    place->amount += amount;
    return;
  }
  points_.insert(place, {at, amount});
  if (points_.size() > kMaxPoints) Merge();
}

void SlidingWindow::Remove(std::int64_t amount, Instant at, Instant now) {
  Expire(now);
  if (at + window_ <= now) return;
  // Merging moves amounts to later points only, so the amount is at `at` or after it.
  auto place = std::lower_bound(points_.begin(), points_.end(), at, Before);
  while (amount > 0 && place != points_.end()) {
    const std::int64_t part = std::min(amount, place->amount);
    place->amount -= part;
    used_ -= part;
    amount -= part;
    place = place->amount == 0 ? points_.erase(place) : place + 1;
  }
}

void SlidingWindow::Clear() {
  points_.clear();
  used_ = 0;
}

Instant SlidingWindow::NextExpiry(Instant now) const {
  Expire(now);
  return points_.empty() ? kNever : points_.front().at + window_;
}

std::vector<SlidingWindow::Point> SlidingWindow::Releases(Instant now,
                                                          std::size_t max_points) const {
  Expire(now);
  const std::size_t step = (points_.size() + max_points - 1) / std::max<std::size_t>(max_points, 1);
  std::vector<Point> releases;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    if (i % step == 0) {
      releases.push_back({points_[i].at + window_, points_[i].amount});
    } else {
      releases.back().amount += points_[i].amount;
    }
  }
  return releases;
}

void SlidingWindow::SanityCheck() const {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < points_.size(); ++i) {
    Require(points_[i].amount > 0, "a window's points are not empty");
    Require(i == 0 || points_[i - 1].at < points_[i].at, "a window's points ascend");
    sum += points_[i].amount;
  }
  Require(sum == used_, "a window's use is the sum of its points");
  Require(points_.size() <= kMaxPoints, "a window is bounded");
}

void SlidingWindow::Expire(Instant now) const {
  while (!points_.empty() && points_.front().at + window_ <= now) {
    used_ -= points_.front().amount;
    points_.pop_front();
  }
}

// Halves the number of points, or better: those of one 512th of their span become its last one.
// It runs at most once in kMaxPoints / 2 additions.
void SlidingWindow::Merge() {
  const Duration step = (points_.back().at - points_.front().at) / (kMaxPoints / 2) + Duration(1);
  std::deque<Point> merged;
  const Instant start = points_.front().at;
  std::int64_t slot = -1;
  for (const Point& point : points_) {
    const std::int64_t own = (point.at - start) / step;
    if (own == slot) {
      merged.back().at = point.at;
      merged.back().amount += point.amount;
    } else {
      merged.push_back(point);
      slot = own;
    }
  }
  points_ = std::move(merged);
}

}  // namespace requestrouter::policy
