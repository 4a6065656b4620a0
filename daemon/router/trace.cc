#include "daemon/router/trace.h"

#include <algorithm>

namespace requestrouter::router {

std::string TraceLog::KeyOf(std::uint32_t uid, const std::string& id) {
  return std::to_string(uid) + '/' + id;
}

void TraceLog::Add(Trace trace) {
  std::string key = KeyOf(trace.uid, trace.id);
  const bool is_new = traces_.insert_or_assign(key, std::move(trace)).second;
  if (!is_new) return;
  order_.push_back(std::move(key));
  if (order_.size() > capacity_) {
    traces_.erase(order_.front());
    order_.pop_front();
  }
}

const Trace* TraceLog::Find(std::uint32_t uid, const std::string& id) const {
  const auto found = traces_.find(KeyOf(uid, id));
  return found == traces_.end() ? nullptr : &found->second;
}

std::vector<const Trace*> TraceLog::Last(std::size_t most,
                                         const std::function<bool(const Trace&)>& wanted) const {
  std::vector<const Trace*> last;
  for (auto key = order_.rbegin(); key != order_.rend() && last.size() < most; ++key) {
    const Trace& trace = traces_.at(*key);
    if (wanted(trace)) last.push_back(&trace);
  }
  return last;
}

}  // namespace requestrouter::router
