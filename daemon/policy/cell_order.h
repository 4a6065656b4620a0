#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "daemon/policy/types.h"

namespace requestrouter::policy {

// The keys of one model in the order of choice: priority, then the greatest headroom, then chance.
// Knows of each what choosing reads first, and when that changes by time, so that a choice among a
// thousand costs the logarithm of a thousand: only what was touched, or is due, is looked at again.
//
// Cells are numbered from 0 in the order of Add.
class CellOrder {
 public:
  // `open_at` is never later than the truth.
  struct State {
    Instant open_at;     // for the smallest demand; kNever: unknown
    Instant refresh_at;  // headroom or open_at change by time
    double headroom;
  };

  // The cell has no state yet: it is due at once.
  void Add(int priority);

  // Something of the cell has changed: it is due at once.
  void Touch(std::uint32_t cell) { SetDue(cell, Instant::min()); }

  // Asks `state_of(cell)` of every cell that is due, and draws its chance from `random()`.
  template <typename StateOf, typename Random>
  void Refresh(Instant now, StateOf state_of, Random random) {
    while (!due_.empty() && due_.begin()->first <= now) {
      const std::uint32_t cell = due_.begin()->second;
      Place(cell, state_of(cell), random(), now);
    }
  }

  const State& at(std::uint32_t cell) const { return entries_[cell].state; }
  bool is_due(std::uint32_t cell, Instant now) const { return entries_[cell].due <= now; }

  // The first open cell for which `is(cell)` holds. Nothing may be due.
  template <typename Is>
  std::optional<std::uint32_t> FirstOpen(Is is) const {
    return First(open_, is);
  }

  // Likewise of all cells, open or not; costs a sort.
  template <typename Is>
  std::optional<std::uint32_t> FirstOfAll(Is is) const {
    std::set<Rank> all;
    for (const Entry& entry : entries_) all.insert(entry.rank);
    return First(all, is);
  }

 private:
  // Priority, headroom (negative: more comes first), chance, cell.
  using Rank = std::tuple<int, double, std::uint64_t, std::uint32_t>;
  struct Entry {
    State state{Instant::min(), Instant::min(), 0};
    Rank rank;
    Instant due = kNever;
    bool open = false;
  };

  template <typename Is>
  static std::optional<std::uint32_t> First(const std::set<Rank>& ranks, Is is) {
    for (const Rank& rank : ranks) {
      if (is(std::get<std::uint32_t>(rank))) return std::get<std::uint32_t>(rank);
    }
    return std::nullopt;
  }

  void SetDue(std::uint32_t cell, Instant at);
  void Place(std::uint32_t cell, const State& state, std::uint64_t chance, Instant now);

  std::vector<Entry> entries_;
  std::set<Rank> open_;
  std::set<std::pair<Instant, std::uint32_t>> due_;  // without those at kNever
};

}  // namespace requestrouter::policy
