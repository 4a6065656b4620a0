#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "daemon/router/live_request.h"

namespace requestrouter::router {

// Every chat request that is not over, found by ticket, by its caller's id, by attempt and by the
// caller's process. Also the order of turns within each conversation. Router thread only.
class RequestTable {
 public:
  // Assigns the ticket. The table owns the request until Erase.
  LiveRequest& Add(std::unique_ptr<LiveRequest> request);
  void Erase(LiveRequest& request);

  LiveRequest* Find(std::uint64_t ticket);
  LiveRequest* FindById(uid_t uid, const std::string& id);
  LiveRequest* FindByAttempt(std::int64_t attempt_id);
  std::vector<LiveRequest*> OfProcess(pid_t pid);
  // From now on the request is that process's.
  void HandOver(LiveRequest& request, pid_t pid);

  void SetAttempt(LiveRequest& request, std::int64_t attempt_id);
  void ClearAttempt(LiveRequest& request);

  // Joins the line of the request's conversation. True: it is first, its turn may begin.
  bool EnterLine(const LiveRequest& request);
  // Leaves it; returns the request whose turn may begin now, or nullptr.
  LiveRequest* LeaveLine(const LiveRequest& request);
  // How many stand in a line behind another.
  std::size_t held_back() const { return in_lines_ - lines_.size(); }

  // The earliest deadline, or kNever.
  policy::Instant NextDeadline() const;
  // Requests whose deadline has come; each is returned once.
  std::vector<LiveRequest*> TakeOverdue(policy::Instant now);

  std::size_t size() const { return by_ticket_.size(); }
  std::size_t CountIn(Stage stage) const;

  template <typename Visit>
  void ForEach(Visit visit) const {
    for (const auto& [ticket, request] : by_ticket_) visit(*request);
  }

 private:
  void LeaveProcess(LiveRequest& request);

  std::uint64_t last_ticket_ = 0;
  std::unordered_map<std::uint64_t, std::unique_ptr<LiveRequest>> by_ticket_;
  std::unordered_map<std::string, LiveRequest*> by_id_;
  std::unordered_map<std::int64_t, LiveRequest*> by_attempt_;
  std::unordered_map<pid_t, std::unordered_set<LiveRequest*>> by_pid_;
  std::unordered_map<std::string, std::deque<LiveRequest*>> lines_;  // by uid and conversation
  std::size_t in_lines_ = 0;                                         // of all of them
  std::set<std::pair<policy::Instant, std::uint64_t>> deadlines_;
};

}  // namespace requestrouter::router
