#include "daemon/router/request_table.h"

#include <algorithm>

#include "daemon/router/request_key.h"

namespace requestrouter::router {

LiveRequest& RequestTable::Add(std::unique_ptr<LiveRequest> request) {
  LiveRequest& added = *request;
  added.ticket = ++last_ticket_;
  by_id_[RequestKey(added.peer.uid, added.id)] = &added;
  by_pid_[added.peer.pid].insert(&added);
  deadlines_.emplace(added.deadline, added.ticket);
  by_ticket_.emplace(added.ticket, std::move(request));
  return added;
}

void RequestTable::Erase(LiveRequest& request) {
  ClearAttempt(request);
  const auto id = by_id_.find(RequestKey(request.peer.uid, request.id));
  if (id != by_id_.end() && id->second == &request) by_id_.erase(id);
  LeaveProcess(request);
  deadlines_.erase({request.deadline, request.ticket});
  by_ticket_.erase(request.ticket);
}

void RequestTable::LeaveProcess(LiveRequest& request) {
  const auto process = by_pid_.find(request.peer.pid);
  process->second.erase(&request);
  if (process->second.empty()) by_pid_.erase(process);
}

void RequestTable::HandOver(LiveRequest& request, pid_t pid) {
  LeaveProcess(request);
  request.peer.pid = pid;
  by_pid_[pid].insert(&request);
}

LiveRequest* RequestTable::Find(std::uint64_t ticket) {
  const auto found = by_ticket_.find(ticket);
  return found == by_ticket_.end() ? nullptr : found->second.get();
}

LiveRequest* RequestTable::FindById(uid_t uid, const std::string& id) {
  const auto found = by_id_.find(RequestKey(uid, id));
  return found == by_id_.end() ? nullptr : found->second;
}

LiveRequest* RequestTable::FindByAttempt(std::int64_t attempt_id) {
  const auto found = by_attempt_.find(attempt_id);
  return found == by_attempt_.end() ? nullptr : found->second;
}

std::vector<LiveRequest*> RequestTable::OfProcess(pid_t pid) {
  const auto found = by_pid_.find(pid);
  if (found == by_pid_.end()) return {};
  return {found->second.begin(), found->second.end()};
}

void RequestTable::SetAttempt(LiveRequest& request, std::int64_t attempt_id) {
  request.attempt_id = attempt_id;
  by_attempt_[attempt_id] = &request;
}

void RequestTable::ClearAttempt(LiveRequest& request) {
  if (request.attempt_id != 0) by_attempt_.erase(request.attempt_id);
  request.attempt_id = 0;
}

bool RequestTable::EnterLine(const LiveRequest& request) {
  auto& line = lines_[RequestKey(request.peer.uid, request.chat.conv_id)];
  line.push_back(Find(request.ticket));
  ++in_lines_;
  return line.size() == 1;
}

LiveRequest* RequestTable::LeaveLine(const LiveRequest& request) {
  const auto found = lines_.find(RequestKey(request.peer.uid, request.chat.conv_id));
  if (found == lines_.end()) return nullptr;
  auto& line = found->second;
  const bool was_first = !line.empty() && line.front() == &request;
  in_lines_ -= std::erase(line, &request);
  if (line.empty()) {
    lines_.erase(found);
    return nullptr;
  }
  return was_first ? line.front() : nullptr;
}

policy::Instant RequestTable::NextDeadline() const {
  return deadlines_.empty() ? policy::kNever : deadlines_.begin()->first;
}

std::vector<LiveRequest*> RequestTable::TakeOverdue(policy::Instant now) {
  std::vector<LiveRequest*> overdue;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    overdue.push_back(Find(deadlines_.begin()->second));
    deadlines_.erase(deadlines_.begin());
  }
  return overdue;
}

std::size_t RequestTable::CountIn(Stage stage) const {
  return static_cast<std::size_t>(
      std::count_if(by_ticket_.begin(), by_ticket_.end(),
                    [stage](const auto& entry) { return entry.second->stage == stage; }));
}

}  // namespace requestrouter::router
