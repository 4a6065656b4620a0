#include "daemon/policy/cell_order.h"

namespace requestrouter::policy {

void CellOrder::Add(int priority) {
  const auto cell = static_cast<std::uint32_t>(entries_.size());
  entries_.emplace_back();
  entries_.back().rank = {priority, 0, 0, cell};
  SetDue(cell, Instant::min());
}

void CellOrder::SetDue(std::uint32_t cell, Instant at) {
  Entry& entry = entries_[cell];
  if (entry.due == at) return;
  if (entry.due != kNever) due_.erase({entry.due, cell});
  if (at != kNever) due_.emplace(at, cell);
  entry.due = at;
}

void CellOrder::Place(std::uint32_t cell, const State& state, std::uint64_t chance, Instant now) {
  Entry& entry = entries_[cell];
  if (entry.open) open_.erase(entry.rank);
  entry.state = state;
  entry.rank = {std::get<int>(entry.rank), -state.headroom, chance, cell};
  entry.open = state.open_at <= now;
  if (entry.open) open_.insert(entry.rank);
  SetDue(cell, state.refresh_at <= now ? kNever : state.refresh_at);
}

}  // namespace requestrouter::policy
