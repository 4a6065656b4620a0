#include "daemon/ops/operations.h"
#include "ipc/names.h"

namespace requestrouter::ops {
namespace {

using ipc::ErrorType;
using router::LiveRequest;
using router::Stage;
using router::Timestamp;

ipc::Value DescribeRequest(const LiveRequest& live) {
  ipc::Value value = {{"id", live.id}, {"caller", live.trace.caller}};
  if (!live.chat.agent.empty()) value["agent"] = live.chat.agent;
  if (!live.chat.model_preference.empty()) value["model"] = live.chat.model_preference;
  value["priority"] = ipc::Name(live.chat.priority);
  return value;
}

ipc::Value ToValue(const router::Trace& trace) {
  ipc::Value timeline = ipc::Value::array();
  for (const auto& event : trace.timeline) {
    timeline.push_back({{"at", Timestamp(event.at)}, {"event", std::string(event.event)}});
    if (!event.detail.empty()) timeline.back()["detail"] = event.detail;
  }
  ipc::Value attempts = ipc::Value::array();
  for (const auto& attempt : trace.attempts) {
    attempts.push_back({{"n", attempt.n},
                        {"key_id", attempt.key_id},
                        {"model", attempt.model},
                        {"outcome", attempt.outcome}});
    if (attempt.status != 0) attempts.back()["status"] = attempt.status;
    attempts.back()["waited_ms"] = attempt.waited_ms;
    attempts.back()["duration_ms"] = attempt.duration_ms;
  }
  ipc::Value considered = ipc::Value::array();
  for (const auto& candidate : trace.considered.All()) {
    considered.push_back({{"key_id", std::string(candidate.key_id)},
                          {"model", std::string(candidate.model)},
                          {"verdict", std::string(candidate.verdict)}});
    if (candidate.until) considered.back()["until"] = Timestamp(*candidate.until);
  }
  return {{"id", trace.id},
          {"caller", trace.caller},
          {"state", trace.state},
          {"timeline", std::move(timeline)},
          {"attempts", std::move(attempts)},
          {"considered", std::move(considered)}};
}

// One line of what `explain` tells in full; the key is the last one tried.
ipc::Value SummaryOf(const router::Trace& trace) {
  ipc::Value row = {{"id", trace.id}, {"caller", trace.caller}, {"state", trace.state}};
  if (!trace.timeline.empty()) {
    const storage::Millis ended = trace.timeline.back().at;
    row["ended_at"] = Timestamp(ended);
    row["total_ms"] = ended - trace.timeline.front().at;
  }
  row["attempts"] = trace.attempts.size();
  if (trace.attempts.empty()) return row;
  const auto& last = trace.attempts.back();
  row["key_id"] = last.key_id;
  row["model"] = last.model;
  row["waited_ms"] = last.waited_ms;
  row["duration_ms"] = last.duration_ms;
  return row;
}

}  // namespace

void Operations::On(const Asker& asker, const ipc::CancelRequest& request) {
  Reply(asker, ipc::Value{{"cancelled", parts_.chats.Cancel(asker.peer.uid, request.id)}});
}

void Operations::On(const Asker& asker, const ipc::ExplainRequest& request) {
  const auto owner = OwnerOf(asker, request.uid);
  if (!owner) return Reply(asker, tl::unexpected(owner.error()));
  const auto trace = parts_.chats.FindTrace(*owner, request.id);
  if (!trace) {
    return Reply(asker,
                 ipc::Fail(ErrorType::kNotFound,
                           "no request \"" + request.id + "\" of this uid among the last 10,000"));
  }
  Reply(asker, ToValue(*trace));
}

void Operations::On(const Asker& asker, const ipc::QueueRequest& request) {
  const policy::Instant now = parts_.clock.Steady();
  ipc::Value waiting = ipc::Value::array();
  for (const policy::Standing& standing : parts_.dispatcher.Waiting(now)) {
    const LiveRequest* live = parts_.chats.Find(standing.ticket);
    if (!live || (live->peer.uid != asker.peer.uid && !asker.is_admin)) continue;
    ipc::Value row = DescribeRequest(*live);
    row["position"] = standing.position;
    row["eta_ms"] = standing.eta ? ipc::Value(router::WaitMs(*standing.eta)) : ipc::Value();
    row["waited_ms"] = router::ElapsedMs(standing.waited);
    waiting.push_back(std::move(row));
  }
  ipc::Value in_flight = ipc::Value::array();
  parts_.chats.table().ForEach([&](const LiveRequest& live) {
    if (live.stage != Stage::kInFlight || live.answered()) return;
    if (live.peer.uid != asker.peer.uid && !asker.is_admin) return;
    ipc::Value row = DescribeRequest(live);
    row["key_id"] = live.grant->key_id;
    row["model"] = live.grant->model;
    row["running_ms"] = router::ElapsedMs(now - live.granted_at);
    in_flight.push_back(std::move(row));
  });
  ipc::Value body = {{"waiting", std::move(waiting)}, {"in_flight", std::move(in_flight)}};
  if (request.recent > 0) {
    const auto most = static_cast<std::size_t>(request.recent);
    const auto of = asker.is_admin ? std::nullopt : std::optional(asker.peer.uid);
    body["recent"] = ipc::Value::array();
    for (const router::Trace& trace : parts_.chats.traces().Last(most, of)) {
      body["recent"].push_back(SummaryOf(trace));
    }
  }
  Reply(asker, std::move(body));
}

}  // namespace requestrouter::ops
