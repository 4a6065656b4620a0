#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/policy/request.h"
#include "daemon/policy/types.h"

namespace requestrouter::policy {

// The order in which requests that compete for the same capacity get it: max-min fair first
// between uids, then within a uid by priority class, then max-min fair between (pid, agent), then
// first come first served.
//
// Fair: everyone has a virtual time that advances by what it was granted divided by its weight,
// and the least goes next (start-time fair queueing: Goyal, Vin, Cheng 1996). Whoever comes back
// from idleness starts at the present virtual time: neither credit nor punishment for the past.
//
// Priority classes are within a uid, because a uid can name any class: above the uids, whoever
// calls everything interactive would starve the others. A class rises by one for each `age_step`
// that its oldest request has waited, so that none starves within a uid either.
//
// Costs: O(log n) a call; Order is O(n log n).
class FairQueue {
 public:
  struct Weights {
    std::map<std::uint32_t, double> uids;  // 1 where not named
    std::map<std::string, double> agents;
  };
  struct Item {
    std::uint64_t ticket = 0;
    std::uint64_t seq = 0;  // orders the items of one flow; unique
    std::uint32_t uid = 0;
    std::int32_t pid = 0;
    std::string agent;
    PriorityClass priority = PriorityClass::kNormal;
    Instant entered{};  // for ageing
  };

  // `weights` outlives the queue.
  FairQueue(const Weights* weights, Duration age_step);

  void Push(const Item& item);  // its ticket is not in the queue
  bool Remove(std::uint64_t ticket);
  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }

  // The ticket that goes next.
  std::optional<std::uint64_t> Head(Instant now) const;

  // Up to `max` tickets in the order in which the flows' first requests would go, the head first.
  std::vector<std::uint64_t> Heads(Instant now, std::size_t max) const;

  // Somebody, waiting here or not, was granted `cost` of what this queue is for.
  void Charge(std::uint32_t uid, std::int32_t pid, const std::string& agent, double cost);

  // How many would go before it if all grants cost the same, for one that waits here, or for one
  // that would now be pushed. O(uids + flows of the uid + requests of the flow).
  std::size_t Ahead(const Item& item, Instant now) const;
  // All tickets, in the order that Ahead counts by.
  std::vector<std::uint64_t> Order(Instant now) const;

  void SanityCheck() const;

 private:
  static constexpr std::size_t kClasses = 3;
  using FlowKey = std::pair<std::int32_t, std::string>;
  using Fifo = std::map<std::uint64_t, std::uint64_t>;  // seq -> ticket
  using Rank = std::pair<double, std::uint64_t>;        // virtual time, then the first seq

  struct Flow {
    double time = 0;
    double weight = 1;
    std::array<Fifo, kClasses> waiting;
    bool idle() const;
  };
  struct Class {
    std::map<Rank, Flow*> order;
    std::set<std::pair<Instant, std::uint64_t>> ages;  // entered, seq
  };
  struct User {
    double time = 0;
    double weight = 1;
    double now = 0;  // virtual time of its flows
    std::map<FlowKey, Flow> flows;
    std::array<Class, kClasses> classes;
    std::size_t waiting = 0;
  };

  User& UserOf(std::uint32_t uid);
  Flow& FlowOf(User& user, std::int32_t pid, const std::string& agent);
  static Rank RankOf(const User& user);
  void Link(User& user);
  void Unlink(User& user);
  static void LinkFlow(User& user, Flow& flow);
  static void UnlinkFlow(User& user, Flow& flow);
  void ForgetIdleUsers();
  static void ForgetIdleFlows(User& user);
  // Classes that have waiting requests, the one to serve first first.
  struct ClassList {
    std::array<std::size_t, kClasses> indexes{};
    std::size_t count = 0;
    std::size_t front() const { return indexes.front(); }
    auto begin() const { return indexes.begin(); }
    auto end() const { return indexes.begin() + static_cast<std::ptrdiff_t>(count); }
  };
  ClassList ClassOrder(const User& user, Instant now) const;
  std::size_t AheadInUser(const User& user, const Item& item, Instant now) const;
  std::vector<std::uint64_t> OrderOf(const User& user, Instant now) const;

  const Weights* weights_;
  Duration age_step_;
  double now_ = 0;  // virtual time of the uids
  std::unordered_map<std::uint32_t, User> users_;
  std::map<Rank, User*> order_;  // users with waiting requests
  std::unordered_map<std::uint64_t, Item> places_;
};

}  // namespace requestrouter::policy
