#include "client_lib/src/request_table.h"

#include <algorithm>
#include <utility>

#include "client_lib/src/errors.h"

namespace requestrouter::client {
namespace {

using ipc::Value;
using std::chrono::milliseconds;

// The text of a delta event, or nothing.
const std::string* DeltaText(const Value& body) {
  const auto delta = body.find("delta");
  if (delta == body.end() || !delta->is_object()) return nullptr;
  const auto text = delta->find("text");
  return text != delta->end() && text->is_string() ? text->get_ptr<const std::string*>() : nullptr;
}

std::int64_t SeqOf(const Value& body, std::int64_t fallback) {
  const auto seq = body.find("seq");
  return seq != body.end() && seq->is_number_integer() ? seq->get<std::int64_t>() : fallback;
}

// A stream that has begun cannot be had again, however its daemon ended.
Error Interrupted() {
  Error error = MakeError(ErrorType::kUpstreamUnavailable,
                          "the daemon went away while the answer was streaming");
  error.details_json = R"({"interrupted":true})";
  return error;
}

}  // namespace

RequestTable::RequestTable(Options options) : options_(std::move(options)) {}

void RequestTable::Add(PendingRequest request) {
  if (entries_.contains(request.id)) {
    request.observer->OnDone(MakeError(ErrorType::kRequestIdConflict,
                                       "request id " + request.id + " is in flight already"));
    return;
  }
  if (entries_.contains(request.cancels) && !Cancel(request.cancels)) {
    request.observer->OnDone(Value{{"cancelled", true}});
    return;
  }
  Entry entry;
  entry.order = next_order_++;
  entry.not_before = request.started;
  std::string id = request.id;
  entry.request = std::move(request);
  unsent_.emplace(entry.order, id);
  WakeBy(ExpiryOf(entry));
  entries_.emplace(std::move(id), std::move(entry));
}

void RequestTable::OnConnecting() {
  if (link_ == Link::kDown) link_ = Link::kConnecting;
  RecomputeNextExpiry(TimePoint::min());
}

void RequestTable::OnConnected() {
  link_ = Link::kUp;
  ever_connected_ = true;
  RecomputeNextExpiry(TimePoint::min());
}

void RequestTable::OnDisconnected(TimePoint now) {
  if (link_ == Link::kUp) down_since_ = now;
  link_ = Link::kDown;
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto here = it++;
    if (!here->second.sent) continue;
    MarkUnsent(here->second);
    ++here->second.losses;
    if (auto error = LossOf(here->second)) Complete(here, std::move(*error));
  }
  RecomputeNextExpiry(now);
}

void RequestTable::MarkUnsent(Entry& entry) {
  entry.sent = false;
  // Another daemon counts its events from 0 again.
  entry.next_seq = 0;
  unsent_.emplace(entry.order, entry.request.id);
}

std::optional<Error> RequestTable::LossOf(const Entry& entry) const {
  if (entry.streaming) return Interrupted();
  if (entry.cancelled) return MakeError(ErrorType::kCancelled, "cancelled");
  if (!entry.request.resend) {
    return MakeError(ErrorType::kNoDaemon, "the daemon went away before it answered");
  }
  if (entry.losses < kMaxLosses) return std::nullopt;
  return MakeError(ErrorType::kNoDaemon, "the daemon went away " + std::to_string(entry.losses) +
                                             " times before it answered");
}

std::vector<std::string> RequestTable::Sendable(TimePoint now) const {
  std::vector<std::string> ids;
  if (link_ != Link::kUp) return ids;
  for (const auto& [order, id] : unsent_) {
    const Entry& entry = entries_.at(id);
    if (entry.not_before <= now && entry.request.deadline > now) ids.push_back(id);
  }
  return ids;
}

std::string RequestTable::Encode(const std::string& id, TimePoint now) const {
  const PendingRequest& request = entries_.at(id).request;
  const auto left = std::chrono::ceil<milliseconds>(request.deadline - now);
  return request.encode(std::max<std::int64_t>(left.count(), 1));
}

void RequestTable::MarkSent(const std::string& id) {
  Entry& entry = entries_.at(id);
  entry.sent = true;
  unsent_.erase(entry.order);
}

void RequestTable::OnReply(ipc::Reply reply, TimePoint now) {
  // A reply to a request that was completed meanwhile (deadline, cancellation) is expected here.
  const auto it = entries_.find(reply.id);
  if (it == entries_.end()) return;
  if (reply.final) {
    OnFinal(it, std::move(reply), now);
  } else if (const auto* body = std::get_if<Value>(&reply.outcome)) {
    OnEvent(it, *body);
  }
}

void RequestTable::OnFinal(Entries::iterator it, ipc::Reply reply, TimePoint now) {
  if (auto* body = std::get_if<Value>(&reply.outcome)) {
    Complete(it, std::move(*body));
    return;
  }
  const auto& error = std::get<ipc::Error>(reply.outcome);
  Entry& entry = it->second;
  const bool is_draining = error.type == ipc::ErrorType::kShuttingDown;
  if (is_draining && entry.streaming) return Complete(it, Interrupted());
  if (is_draining && entry.request.resend && !entry.cancelled) {
    MarkUnsent(entry);
    entry.not_before = now + kDrainPause;
    WakeBy(entry.not_before);
    return;
  }
  Complete(it, FromWire(error));
}

void RequestTable::OnEvent(Entries::iterator it, const Value& body) {
  Entry& entry = it->second;
  const std::int64_t seq = SeqOf(body, entry.next_seq);
  // A request that was sent to one daemon twice joins itself there, and gets every delta twice.
  if (seq < entry.next_seq) return;
  entry.next_seq = seq + 1;
  if (body.contains("delta")) entry.streaming = true;
  if (const std::string* text = DeltaText(body)) entry.partial += *text;
  if (entry.request.observer->OnEvent(body)) return;
  abandoned_.push_back(it->first);
  Complete(it, MakeError(ErrorType::kCancelled, "the receiver of the stream stopped it"));
}

bool RequestTable::Abandon(const std::string& id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return false;
  const bool sent = it->second.sent;
  Complete(it, MakeError(ErrorType::kCancelled, "cancelled"));
  return sent;
}

bool RequestTable::Cancel(const std::string& id) {
  const auto it = entries_.find(id);
  if (it == entries_.end()) return false;
  it->second.cancelled = true;
  if (it->second.sent) return true;
  Complete(it, MakeError(ErrorType::kCancelled, "cancelled before it was sent"));
  return false;
}

std::vector<std::string> RequestTable::TakeAbandoned() { return std::exchange(abandoned_, {}); }

TimePoint RequestTable::ExpiryOf(const Entry& entry) const {
  const PendingRequest& request = entry.request;
  if (link_ == Link::kUp) return entry.sent ? request.deadline + kDeadlineGrace : request.deadline;
  TimePoint patience = request.started + options_.connect_timeout;
  if (ever_connected_) patience = std::max(patience, down_since_ + options_.reconnect_timeout);
  // Somebody listens: the daemon is starting.
  if (link_ == Link::kConnecting) {
    patience = std::max(patience, request.started + options_.reconnect_timeout);
  }
  return std::min(patience, request.deadline);
}

Error RequestTable::ExpiryErrorOf(const Entry& entry, TimePoint now) const {
  if (link_ != Link::kUp && (now < entry.request.deadline || !ever_connected_)) {
    return options_.explain_no_daemon();
  }
  return MakeError(ErrorType::kDeadlineExceeded, "the deadline passed without an answer");
}

void RequestTable::Expire(TimePoint now) {
  if (!next_expiry_ || *next_expiry_ > now) return;
  for (auto it = entries_.begin(); it != entries_.end();) {
    const auto here = it++;
    if (ExpiryOf(here->second) <= now) Complete(here, ExpiryErrorOf(here->second, now));
  }
  RecomputeNextExpiry(now);
}

void RequestTable::WakeBy(TimePoint at) {
  next_expiry_ = next_expiry_ ? std::min(*next_expiry_, at) : at;
}

void RequestTable::RecomputeNextExpiry(TimePoint after) {
  next_expiry_.reset();
  for (const auto& [id, entry] : entries_) WakeBy(ExpiryOf(entry));
  for (const auto& [order, id] : unsent_) {
    const TimePoint not_before = entries_.at(id).not_before;
    if (not_before > after) WakeBy(not_before);
  }
}

void RequestTable::Fail(const std::string& id, Error error) {
  const auto it = entries_.find(id);
  if (it != entries_.end()) Complete(it, std::move(error));
}

void RequestTable::FailAll(const Error& error) {
  while (!entries_.empty()) Complete(entries_.begin(), error);
}

void RequestTable::Complete(Entries::iterator it, Result<Value> outcome) {
  Entry entry = std::move(it->second);
  entries_.erase(it);
  if (!entry.sent) unsent_.erase(entry.order);
  if (!outcome) {
    outcome.error().partial_content = std::move(entry.partial);
    outcome.error().request_id = entry.request.id;
  }
  entry.request.observer->OnDone(std::move(outcome));
}

}  // namespace requestrouter::client
