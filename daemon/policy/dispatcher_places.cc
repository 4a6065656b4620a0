#include <algorithm>
#include <utility>

#include "daemon/policy/dispatcher_impl.h"
#include "daemon/policy/invariant.h"

// Where a request is: queued, delayed or in flight; and the lanes that they wait in.
namespace requestrouter::policy {

using Impl = Dispatcher::Impl;

Impl::Impl(Config config, std::uint64_t seed)
    : pool_(seed), planner_(&config_, &pool_), random_(seed + 1) {
  Configure(std::move(config), Instant{});
}

void Impl::Configure(Config config, Instant now) {
  config_ = std::move(config);
  weights_ = {config_.uid_weights, config_.agent_weights};
  pool_.Configure(config_, now);
  caller_limits_.Configure(config_.user_limit);
  if (!config_.host_limit) {
    host_limit_.reset();
  } else if (host_limit_) {
    host_limit_->SetSpec(*config_.host_limit);
  } else {
    host_limit_.emplace(*config_.host_limit);
  }
  ledgers_.assign(pool_.model_count(), {});
  lanes_suspect_ = waiting_ > 0;
  PlanAnew();
}

// Those in flight come back to the new lanes.
void Impl::PlanAnew() {
  std::vector<Request*> queued;
  for (auto& [ticket, request] : requests_) {
    if (request.place == Place::kQueued) queued.push_back(&request);
  }
  std::sort(queued.begin(), queued.end(), [](auto* a, auto* b) { return a->seq < b->seq; });
  for (Request* request : queued) Move(*request, Place::kNowhere);
  lanes_.clear();
  for (auto& [ticket, request] : requests_) {
    request.lane = &LaneOf(planner_.Make(request.ask));
    ++request.lane->requests;
    request.tried.clear();
    request.cell.reset();
  }
  for (Request* request : queued) Move(*request, Place::kQueued);
}

void Impl::Move(Request& request, Place to) {
  const std::uint64_t ticket = request.ask.ticket;
  const auto waits = [](Place place) {
    return place == Place::kQueued || place == Place::kDelayed;
  };
  if (waits(request.place)) {
    --waiting_;
    expiries_.erase({request.expires, ticket});
  }
  if (request.place == Place::kQueued) request.lane->Remove(ticket, request.ask.demand);
  if (request.place == Place::kDelayed) delayed_.erase({request.not_before, ticket});
  request.place = to;
  if (waits(to)) {
    ++waiting_;
    request.expires = ExpiresAt(request);
    expiries_.emplace(request.expires, ticket);
  }
  if (to == Place::kDelayed) delayed_.emplace(request.not_before, ticket);
  if (to == Place::kQueued) request.lane->Push(ItemOf(request), request.ask.demand);
}

void Impl::Forget(std::uint64_t ticket) {
  Request& request = requests_.at(ticket);
  if (request.booked) caller_limits_.GiveBack(request.ask.uid, request.ask.user_id);
  Move(request, Place::kNowhere);
  --request.lane->requests;
  requests_.erase(ticket);
}

// A retry may wait as long again as the first attempt might, never past the deadline.
Instant Impl::ExpiresAt(const Request& request) const {
  const Ask& ask = request.ask;
  if (request.attempts == 0) return std::max(ask.wait_until, request.not_before);
  const Duration patience = std::max(ask.wait_until - request.entered, kSlack);
  if (ask.deadline - request.not_before <= patience) return ask.deadline;
  return request.not_before + patience;
}

FairQueue::Item Impl::ItemOf(const Request& request) const {
  const Ask& ask = request.ask;
  return {ask.ticket, request.seq, ask.uid, ask.pid, ask.agent, ask.priority, request.entered};
}

Lane& Impl::LaneOf(const Plan& plan) {
  if (lanes_.size() > kManyLanes) DropUnusedLanes();
  auto& lane = lanes_[plan];
  if (!lane) {
    lane =
        std::make_unique<Lane>(Lane{.plan = plan, .queue = FairQueue(&weights_, config_.age_step)});
  }
  return *lane;
}

void Impl::DropUnusedLanes() {
  std::erase_if(lanes_, [](const auto& entry) { return entry.second->requests == 0; });
}

void Impl::WakeDelayed(Instant now) {
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    Move(requests_.at(delayed_.begin()->second), Place::kQueued);
  }
}

void Impl::KeysChanged() {
  lanes_suspect_ = waiting_ > 0;
  WakeLanes();
}

void Impl::WakeLanes() {
  for (auto& [plan, lane] : lanes_) lane->blocked_until = Lane::kAwake;
}

void Impl::SanityCheck(Instant now) const {
  std::size_t queued = 0, delayed = 0, in_flight = 0;
  for (const auto& [ticket, request] : requests_) {
    queued += request.place == Place::kQueued;
    delayed += request.place == Place::kDelayed;
    in_flight += request.place == Place::kInFlight;
    Require(request.place != Place::kNowhere, "every request is somewhere");
    Require(request.admission.has_value() == (request.place == Place::kInFlight),
            "exactly the requests in flight hold a reservation");
  }
  std::size_t in_lanes = 0;
  for (const auto& [plan, lane] : lanes_) {
    lane->SanityCheck();
    in_lanes += lane->queue.size();
  }
  Require(in_lanes == queued, "every queued request is in one lane");
  Require(delayed_.size() == delayed, "every delayed request has its instant");
  Require(expiries_.size() == queued + delayed && waiting_ == queued + delayed,
          "every waiting request expires");
  std::int64_t of_keys = 0;
  for (const KeyStatus& key : pool_.Keys(now)) of_keys += key.in_flight;
  Require(of_keys <= static_cast<std::int64_t>(in_flight), "keys count what is in flight");
  pool_.SanityCheck(now);
}

}  // namespace requestrouter::policy
