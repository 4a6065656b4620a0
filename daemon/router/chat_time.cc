#include <algorithm>

#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"

// What the clock brings, and the end of the daemon.
namespace requestrouter::router {
namespace {

using ipc::ErrorType;

// How often those who wait and asked for progress are told where they stand.
constexpr std::chrono::seconds kProgressInterval{1};

// To ask again is right for all but a stream of which the caller has had a part already.
ipc::Error StoppedError(const LiveRequest& live, const std::string& message) {
  if (live.deltas.empty()) return ipc::MakeError(ErrorType::kShuttingDown, message);
  ipc::Error error = ipc::MakeError(ErrorType::kUpstreamUnavailable, message);
  error.details = ipc::Value{{"interrupted", true}};
  return error;
}

}  // namespace

void ChatService::Tick() {
  const policy::Instant now = parts_.clock.Steady();
  for (LiveRequest* live : table_.TakeOverdue(now)) {
    EndEarly(*live, ipc::MakeError(ErrorType::kDeadlineExceeded,
                                   live->stage == Stage::kInFlight
                                       ? "the deadline passed while the provider was answering"
                                       : "the deadline passed while the request was waiting"));
  }
  Dispatch(now);
  for (const policy::Refusal& refusal : parts_.dispatcher.Expire(now)) {
    if (LiveRequest* live = table_.Find(refusal.ticket)) Fail(*live, ToError(refusal));
  }
  unwritten_.Retry();
  parts_.keys.Retry();
  ReportProgress(now);
}

void ChatService::ReportProgress(policy::Instant now) {
  const bool due = now >= progress_at_;
  if (due) progress_at_ = now + kProgressInterval;
  for (auto entry = watching_.begin(); entry != watching_.end();) {
    LiveRequest* live = table_.Find(entry->first);
    if (!live || live->stage != Stage::kWaiting) {
      entry = watching_.erase(entry);
      continue;
    }
    if (due || !entry->second) NoteWaiting(*live, ipc::ChatProgress::State::kWaiting);
    entry->second = true;
    ++entry;
  }
}

policy::Instant ChatService::NextDeadline() const {
  policy::Instant next =
      std::min(table_.NextDeadline(), parts_.dispatcher.NextDeadline(parts_.clock.Steady()));
  next = std::min({next, unwritten_.NextDeadline(), parts_.keys.NextDeadline()});
  if (!watching_.empty()) next = std::min(next, progress_at_);
  return next;
}

// Ends the requests that `which` picks with `shutting_down`, begun streams as interrupted.
template <typename Which>
void ChatService::ShutDown(Which which, const std::string& message) {
  std::vector<std::uint64_t> tickets;
  table_.ForEach([&](const LiveRequest& live) {
    if (which(live)) tickets.push_back(live.ticket);
  });
  for (const std::uint64_t ticket : tickets) {
    if (LiveRequest* live = table_.Find(ticket)) EndEarly(*live, StoppedError(*live, message));
  }
}

void ChatService::Drain() {
  draining_ = true;
  ShutDown([](const LiveRequest& live) { return live.stage < Stage::kInFlight; },
           "routerd is stopping; connect again");
}

void ChatService::Abort() {
  ShutDown([](const LiveRequest&) { return true; },
           "routerd stopped before the answer came; send again");
}

}  // namespace requestrouter::router
