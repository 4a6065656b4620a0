#include "daemon/policy/lane.h"

#include <algorithm>

#include "daemon/policy/invariant.h"

namespace requestrouter::policy {

void Lane::Push(const FairQueue::Item& item, const Demand& demand) {
  queue.Push(item);
  total.input_tokens += demand.input_tokens;
  total.output_tokens += demand.output_tokens;
  total.max_output_tokens += demand.max_output_tokens;
  blocked_until = kAwake;
}

void Lane::Remove(std::uint64_t ticket, const Demand& demand) {
  queue.Remove(ticket);
  total.input_tokens -= demand.input_tokens;
  total.output_tokens -= demand.output_tokens;
  total.max_output_tokens -= demand.max_output_tokens;
  blocked_until = kAwake;
}

Demand Lane::AverageDemand() const {
  const auto count = static_cast<std::int64_t>(std::max<std::size_t>(queue.size(), 1));
  return {total.input_tokens / count, total.output_tokens / count, total.max_output_tokens / count,
          0};
}

void Lane::SanityCheck() const {
  queue.SanityCheck();
  Require(!queue.empty() || total.input_tokens == 0, "an empty lane waits for nothing");
}

}  // namespace requestrouter::policy
