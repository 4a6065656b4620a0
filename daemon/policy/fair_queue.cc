#include "daemon/policy/fair_queue.h"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "daemon/policy/invariant.h"

namespace requestrouter::policy {
namespace {

// Idle accounts are looked through when there are this many more than busy ones.
constexpr std::size_t kIdleAccounts = 64;

std::size_t Index(PriorityClass priority) { return static_cast<std::size_t>(priority); }

template <typename Map, typename Key>
double WeightOf(const Map& weights, const Key& key) {
  const auto found = weights.find(key);
  return found == weights.end() || !(found->second > 0) ? 1 : found->second;
}

}  // namespace

bool FairQueue::Flow::idle() const {
  return std::all_of(waiting.begin(), waiting.end(), [](const Fifo& fifo) { return fifo.empty(); });
}

FairQueue::FairQueue(const Weights* weights, Duration age_step)
    : weights_(weights), age_step_(std::max(age_step, Duration(1))) {}

void FairQueue::Push(const Item& item) {
  Require(places_.emplace(item.ticket, item).second, "a ticket waits once");
  User& user = UserOf(item.uid);
  Unlink(user);
  if (user.waiting == 0) user.time = std::max(user.time, now_);
  Flow& flow = FlowOf(user, item.pid, item.agent);
  UnlinkFlow(user, flow);
  if (flow.idle()) flow.time = std::max(flow.time, user.now);
  flow.waiting[Index(item.priority)].emplace(item.seq, item.ticket);
  user.classes[Index(item.priority)].ages.emplace(item.entered, item.seq);
  ++user.waiting;
  LinkFlow(user, flow);
  Link(user);
}

bool FairQueue::Remove(std::uint64_t ticket) {
  const auto place = places_.find(ticket);
  if (place == places_.end()) return false;
  const Item& item = place->second;
  User& user = UserOf(item.uid);
  Flow& flow = FlowOf(user, item.pid, item.agent);
  Unlink(user);
  UnlinkFlow(user, flow);
  flow.waiting[Index(item.priority)].erase(item.seq);
  user.classes[Index(item.priority)].ages.erase({item.entered, item.seq});
  --user.waiting;
  LinkFlow(user, flow);
  Link(user);
  places_.erase(place);
  return true;
}

std::optional<std::uint64_t> FairQueue::Head(Instant now) const {
  if (order_.empty()) return std::nullopt;
  const User& user = *order_.begin()->second;
  const std::size_t index = ClassOrder(user, now).front();
  return user.classes[index].order.begin()->second->waiting[index].begin()->second;
}

std::vector<std::uint64_t> FairQueue::Heads(Instant now, std::size_t max) const {
  std::vector<std::uint64_t> heads;
  for (const auto& [rank, user] : order_) {
    for (const std::size_t index : ClassOrder(*user, now)) {
      for (const auto& [flow_rank, flow] : user->classes[index].order) {
        if (heads.size() >= max) return heads;
        heads.push_back(flow->waiting[index].begin()->second);
      }
    }
  }
  return heads;
}

void FairQueue::Charge(std::uint32_t uid, std::int32_t pid, const std::string& agent, double cost) {
  User& user = UserOf(uid);
  Unlink(user);
  user.time = std::max(user.time, now_);
  if (user.waiting > 0 || order_.empty()) now_ = std::max(now_, user.time);
  user.time += cost / user.weight;
  Flow& flow = FlowOf(user, pid, agent);
  UnlinkFlow(user, flow);
  flow.time = std::max(flow.time, user.now);
  user.now = flow.time;
  flow.time += cost / flow.weight;
  LinkFlow(user, flow);
  Link(user);
  ForgetIdleFlows(user);
  ForgetIdleUsers();
}

std::size_t FairQueue::Ahead(const Item& item, Instant now) const {
  const auto own = users_.find(item.uid);
  const std::size_t rank = own == users_.end() ? 0 : AheadInUser(own->second, item, now);
  const bool queued = own != users_.end() && own->second.waiting > 0;
  const Rank rank_of_own = queued ? RankOf(own->second) : Rank(now_, item.seq);
  std::size_t ahead = rank;
  for (const auto& [rank_of_user, user] : order_) {
    if (own != users_.end() && user == &own->second) continue;
    ahead += std::min(user->waiting, rank + (rank_of_user < rank_of_own ? 1 : 0));
  }
  return ahead;
}

std::size_t FairQueue::AheadInUser(const User& user, const Item& item, Instant now) const {
  const std::size_t index = Index(item.priority);
  std::size_t ahead = 0;
  for (const std::size_t other : ClassOrder(user, now)) {
    if (other == index || (user.classes[index].ages.empty() && other > index)) break;
    ahead += user.classes[other].ages.size();
  }
  const auto own = user.flows.find({item.pid, item.agent});
  std::size_t rank = 0;
  Rank rank_of_own(user.now, item.seq);
  if (own != user.flows.end() && !own->second.waiting[index].empty()) {
    const Fifo& fifo = own->second.waiting[index];
    rank = static_cast<std::size_t>(std::distance(fifo.begin(), fifo.lower_bound(item.seq)));
    rank_of_own = {own->second.time, fifo.begin()->first};
  }
  for (const auto& [rank_of_flow, flow] : user.classes[index].order) {
    if (own != user.flows.end() && flow == &own->second) continue;
    ahead += std::min(flow->waiting[index].size(), rank + (rank_of_flow < rank_of_own ? 1 : 0));
  }
  return ahead + rank;
}

std::vector<std::uint64_t> FairQueue::Order(Instant now) const {
  std::vector<std::tuple<std::size_t, std::size_t, std::uint64_t>> places;
  std::size_t nth_user = 0;
  for (const auto& [rank, user] : order_) {
    std::size_t nth = 0;
    for (const std::uint64_t ticket : OrderOf(*user, now)) {
      places.emplace_back(nth++, nth_user, ticket);
    }
    ++nth_user;
  }
  std::sort(places.begin(), places.end());
  std::vector<std::uint64_t> order;
  order.reserve(places.size());
  for (const auto& place : places) order.push_back(std::get<2>(place));
  return order;
}

std::vector<std::uint64_t> FairQueue::OrderOf(const User& user, Instant now) const {
  std::vector<std::uint64_t> order;
  for (const std::size_t index : ClassOrder(user, now)) {
    std::vector<std::tuple<std::size_t, std::size_t, std::uint64_t>> places;
    std::size_t nth_flow = 0;
    for (const auto& [rank, flow] : user.classes[index].order) {
      std::size_t nth = 0;
      for (const auto& [seq, ticket] : flow->waiting[index]) {
        places.emplace_back(nth++, nth_flow, ticket);
      }
      ++nth_flow;
    }
    std::sort(places.begin(), places.end());
    for (const auto& place : places) order.push_back(std::get<2>(place));
  }
  return order;
}

FairQueue::User& FairQueue::UserOf(std::uint32_t uid) {
  const auto [entry, fresh] = users_.try_emplace(uid);
  if (fresh) {
    entry->second.time = now_;
    entry->second.weight = WeightOf(weights_->uids, uid);
  }
  return entry->second;
}

FairQueue::Flow& FairQueue::FlowOf(User& user, std::int32_t pid, const std::string& agent) {
  const auto [entry, fresh] = user.flows.try_emplace(FlowKey(pid, agent));
  if (fresh) {
    entry->second.time = user.now;
    entry->second.weight = WeightOf(weights_->agents, agent);
  }
  return entry->second;
}

FairQueue::Rank FairQueue::RankOf(const User& user) {
  std::uint64_t first = UINT64_MAX;
  for (const Class& one : user.classes) {
    if (!one.order.empty()) first = std::min(first, one.order.begin()->first.second);
  }
  return {user.time, first};
}

void FairQueue::Link(User& user) {
  if (user.waiting > 0) order_.emplace(RankOf(user), &user);
}

void FairQueue::Unlink(User& user) {
  if (user.waiting > 0) order_.erase(RankOf(user));
}

void FairQueue::LinkFlow(User& user, Flow& flow) {
  for (std::size_t i = 0; i < kClasses; ++i) {
    if (flow.waiting[i].empty()) continue;
    user.classes[i].order.emplace(Rank(flow.time, flow.waiting[i].begin()->first), &flow);
  }
}

void FairQueue::UnlinkFlow(User& user, Flow& flow) {
  for (std::size_t i = 0; i < kClasses; ++i) {
    if (flow.waiting[i].empty()) continue;
    user.classes[i].order.erase(Rank(flow.time, flow.waiting[i].begin()->first));
  }
}

// When nobody waits, the past is forgotten; otherwise those who are not ahead of the others.
void FairQueue::ForgetIdleUsers() {
  if (users_.size() < 2 * order_.size() + kIdleAccounts) return;
  if (order_.empty()) {
    for (const auto& [uid, user] : users_) now_ = std::max(now_, user.time);
  }
  std::erase_if(users_, [&](const auto& entry) {
    return entry.second.waiting == 0 && entry.second.time <= now_;
  });
}

void FairQueue::ForgetIdleFlows(User& user) {
  std::size_t busy = 0;
  for (const Class& one : user.classes) busy += one.order.size();
  if (user.flows.size() < 2 * busy + kIdleAccounts) return;
  if (busy == 0) {
    for (const auto& [key, flow] : user.flows) user.now = std::max(user.now, flow.time);
  }
  std::erase_if(user.flows, [&](const auto& entry) {
    return entry.second.idle() && entry.second.time <= user.now;
  });
}

FairQueue::ClassList FairQueue::ClassOrder(const User& user, Instant now) const {
  std::array<std::pair<std::int64_t, Instant>, kClasses> ranks;
  ClassList list;
  for (std::size_t i = 0; i < kClasses; ++i) {
    if (user.classes[i].ages.empty()) continue;
    const Instant oldest = user.classes[i].ages.begin()->first;
    const std::int64_t steps = now > oldest ? (now - oldest) / age_step_ : 0;
    ranks[i] = {std::max<std::int64_t>(static_cast<std::int64_t>(i) - steps, 0), oldest};
    std::size_t at = list.count++;
    for (; at > 0 && ranks[i] < ranks[list.indexes[at - 1]]; --at) {
      list.indexes[at] = list.indexes[at - 1];
    }
    list.indexes[at] = i;
  }
  return list;
}

void FairQueue::SanityCheck() const {
  std::size_t waiting = 0;
  for (const auto& [uid, user] : users_) {
    std::size_t own = 0;
    for (std::size_t i = 0; i < kClasses; ++i) {
      std::size_t of_class = 0;
      for (const auto& [rank, flow] : user.classes[i].order) {
        Require(!flow->waiting[i].empty(), "only flows that wait are in the order");
        Require(rank == Rank(flow->time, flow->waiting[i].begin()->first), "flows are in order");
        of_class += flow->waiting[i].size();
      }
      Require(of_class == user.classes[i].ages.size(), "every request of a class has an age");
      own += of_class;
    }
    Require(own == user.waiting, "a uid's requests are counted");
    const auto linked = order_.find(RankOf(user));
    Require((own > 0) == (linked != order_.end() && linked->second == &user),
            "the uids that wait are in the order");
    waiting += own;
  }
  Require(waiting == places_.size(), "every ticket has one place");
}

}  // namespace requestrouter::policy
