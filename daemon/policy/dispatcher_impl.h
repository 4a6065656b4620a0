#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/policy/bucket.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/policy/fair_queue.h"
#include "daemon/policy/key_pool.h"
#include "daemon/policy/lane.h"
#include "daemon/policy/plan.h"
#include "daemon/policy/share_ledger.h"
#include "daemon/policy/token_estimator.h"

namespace requestrouter::policy {

// How it works. Requests with the same plan (the same candidates) wait in one lane: a fair queue of
// its own. Only the head of a lane is matched with keys; when it cannot be sent the lane sleeps
// until the first instant at which it could, so a decision costs the same however many wait. Where
// the head waits for more tokens than are free, others behind it may use what it leaves, as long as
// it is not delayed. Heads of different lanes that want the same model are ranked by what their
// uids have had of it.
//
// A request is in one of three places, and Move makes every transition:
//   queued   in its lane's queue, and in expiries_
//   delayed  until a retry's or a caller limit's instant, in delayed_ and expiries_
//   in flight, until Finished
class Dispatcher::Impl {
 public:
  Impl(Config config, std::uint64_t seed);

  void Configure(Config config, Instant now);

  std::optional<Refusal> Enter(Ask ask, Instant now);
  std::optional<Grant> Next(Instant now);
  std::vector<Refusal> Expire(Instant now);
  bool Leave(std::uint64_t ticket);
  std::optional<Refusal> Finished(std::uint64_t ticket, const Report& report, Instant now);
  Amounts AmountsOf(std::uint64_t ticket, const std::optional<Demand>& used) const;
  bool IsWaiting(std::uint64_t ticket) const;
  Instant NextDeadline(Instant now) const;

  std::optional<Standing> StandingOf(std::uint64_t ticket, Instant now);
  std::vector<Standing> Waiting(Instant now);
  std::size_t waiting_count() const { return waiting_; }
  std::vector<Considered> Consider(const Ask& ask, Instant now);
  bool IsAvailable(std::string_view model, Instant now);

  KeyPool& pool() { return pool_; }
  const Planner& planner() const { return planner_; }
  TokenEstimator& estimator() { return estimator_; }
  // Keys came, went or were reset: every lane looks again, also whether anything can answer it.
  void KeysChanged();
  void SanityCheck(Instant now) const;

 private:
  static constexpr std::size_t kLookahead = 32;  // behind a blocked head
  // The loop comes a little late: a retry is not refused for that.
  static constexpr Duration kSlack = std::chrono::milliseconds(100);
  static constexpr std::size_t kManyLanes = 256;  // beyond, unused ones are dropped

  enum class Place : std::uint8_t { kNowhere, kQueued, kDelayed, kInFlight };

  struct Request {
    Ask ask;
    std::uint64_t seq = 0;
    Lane* lane = nullptr;
    Place place = Place::kNowhere;
    Instant since{};  // Enter, or the end of the last attempt
    Instant entered{};
    Instant not_before{};    // while delayed
    Instant expires{};       // while queued or delayed
    bool abandoned = false;  // left while in flight
    bool booked = false;     // holds a place in its caller's bucket that it has not used
    std::int64_t attempts = 0;
    std::int64_t round = 0;  // 0: the first
    Tried tried;             // in this round
    std::optional<Fault> last_fault;
    std::optional<Admission> admission;  // in flight
    std::optional<CellId> cell;          // of the admission, while the configuration stands
  };

  struct Proposal {
    Request* request;
    CellId cell;
  };

  // ---- places
  void PlanAnew();
  void Move(Request& request, Place to);
  void Forget(std::uint64_t ticket);
  Instant ExpiresAt(const Request& request) const;
  FairQueue::Item ItemOf(const Request& request) const;
  Lane& LaneOf(const Plan& plan);
  void DropUnusedLanes();
  void WakeLanes();
  void WakeDelayed(Instant now);

  // ---- entering
  std::optional<Refusal> RefuseAtOnce(const Ask& ask, const Plan& plan, Instant now) const;
  bool IsHopeless(const Plan& plan, Instant now) const;
  std::optional<Refusal> RefuseHopeless(const Ask& ask, const Plan& plan, Instant now) const;
  std::optional<Refusal> RefuseLate(const Request& request, Instant now);
  static Refusal Refuse(const Ask& ask, RefusalReason reason, std::string message);

  // ---- sending
  std::optional<Proposal> Propose(Lane& lane, Instant now);
  std::optional<Proposal> ProposeHead(Request& head, Instant wanted_at, Instant now);
  std::optional<Proposal> ProposeBehind(Lane& lane, const Request& head, Instant wanted_at,
                                        Instant now);
  Wish WishOf(const Request& request) const;
  // At the beginning of a round after the first.
  static bool RetryDue(const Request& request) {
    return request.attempts > 0 && request.tried.empty();
  }
  bool FallbackPays(const Request& request, Instant wanted_at, Instant now) const;
  Instant LaneWakesAt(Lane& lane, const Request& head, Instant wanted_at, Instant now);
  bool Precedes(const Proposal& a, const Proposal& b) const;
  Instant HostReadyAt(const Request& request, Instant now) const;
  Grant Send(const Proposal& proposal, Instant now);
  void Charge(const Request& request, std::uint32_t model, double cost);

  // ---- leaving
  void RefuseWaitersWithoutKeys(std::vector<Refusal>& refusals, Instant now);
  Refusal ExpiredRefusal(const Request& request, Instant now);

  // ---- ends of attempts
  std::optional<Refusal> Retry(Request& request, Instant now);
  std::optional<Refusal> EndRound(Request& request, Instant now);
  bool CanGoOn(const Request& request, Instant now);
  Refusal Fail(const Request& request, Instant now);

  // ---- forecasts
  const Lane::Forecasts& ForecastsOf(Lane& lane, Instant now);
  // With the wanted models, or (unless `wanted_only`) with a fallback where that is sooner.
  std::optional<Instant> EtaOf(Lane& lane, const Request& request, std::size_t ahead, Instant now,
                               bool wanted_only = false);
  std::size_t AheadOf(Lane& lane, const Request& request, Instant now) const;

  Config config_;
  FairQueue::Weights weights_;
  KeyPool pool_;
  Planner planner_;
  TokenEstimator estimator_;
  CallerLimits caller_limits_;
  std::optional<Bucket> host_limit_;
  std::mt19937_64 random_;

  std::map<Plan, std::unique_ptr<Lane>> lanes_;
  std::unordered_map<std::uint64_t, Request> requests_;
  std::set<std::pair<Instant, std::uint64_t>> expiries_;  // of queued and delayed
  std::set<std::pair<Instant, std::uint64_t>> delayed_;
  std::vector<Refusal> refusals_;     // for the next Expire
  std::vector<ShareLedger> ledgers_;  // by model
  std::size_t waiting_ = 0;
  bool lanes_suspect_ = false;  // one may have lost its last key: Expire looks
  std::uint64_t next_seq_ = 0;
};

}  // namespace requestrouter::policy
