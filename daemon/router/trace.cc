#include "daemon/router/trace.h"

#include <utility>

namespace requestrouter::router {

void TraceLog::Add(Trace trace) {
  traces_.push_back(std::move(trace));
  if (traces_.size() > capacity_) traces_.pop_front();
}

const Trace* TraceLog::Find(std::uint32_t uid, const std::string& id) const {
  const auto last = Last(1, [&](const Trace& trace) { return trace.uid == uid && trace.id == id; });
  return last.empty() ? nullptr : last.front();
}

std::vector<const Trace*> TraceLog::Last(std::size_t most,
                                         const std::function<bool(const Trace&)>& wanted) const {
  std::vector<const Trace*> last;
  for (auto trace = traces_.rbegin(); trace != traces_.rend() && last.size() < most; ++trace) {
    if (wanted(*trace)) last.push_back(&*trace);
  }
  return last;
}

}  // namespace requestrouter::router
