#include "daemon/router/unwritten_ends.h"

#include <algorithm>
#include <utility>

namespace requestrouter::router {
namespace {

constexpr std::chrono::milliseconds kRetryInterval{250};

}  // namespace

UnwrittenEnds::UnwrittenEnds(const Clock& clock, Mailbox& mailbox, storage::Store& store,
                             std::function<void(const storage::Finish&)> on_written)
    : clock_(clock), mailbox_(mailbox), store_(store), on_written_(std::move(on_written)) {}

void UnwrittenEnds::Write(storage::Finish finish) {
  auto shared = std::make_shared<const storage::Finish>(std::move(finish));
  store_.Submit(shared, storage::Durability::kProcess,
                [this, shared, &mailbox = mailbox_](const auto& written) {
                  if (written) return;
                  mailbox.Post([this, shared] { Keep(shared, ""); });
                });
}

void UnwrittenEnds::Keep(std::shared_ptr<const storage::Finish> finish, std::string reply) {
  if (finish->turn || finish->result || !is_full()) {
    ends_.push_back({std::move(finish), std::move(reply)});
  } else {
    ++uncounted_;
  }
}

const UnwrittenEnds::End* UnwrittenEnds::Find(uid_t uid, const std::string& request_id) const {
  const auto found = std::find_if(ends_.begin(), ends_.end(), [&](const End& end) {
    const auto& result = end.finish->result;
    return result && result->uid == uid && result->request_id == request_id;
  });
  return found == ends_.end() ? nullptr : &*found;
}

void UnwrittenEnds::Retry() {
  if (ends_.empty() || retrying_ || clock_.Steady() < retry_at_) return;
  retrying_ = true;
  store_.Submit(ends_.front().finish, storage::Durability::kFull,
                [this, &mailbox = mailbox_](const auto& written) {
                  mailbox.Post([this, is_written = written.has_value()] { OnRetried(is_written); });
                });
}

void UnwrittenEnds::OnRetried(bool written) {
  retrying_ = false;
  if (!written) {
    retry_at_ = clock_.Steady() + kRetryInterval;
    return;
  }
  on_written_(*ends_.front().finish);
  ends_.pop_front();
}

policy::Instant UnwrittenEnds::NextDeadline() const {
  return ends_.empty() || retrying_ ? policy::kNever : retry_at_;
}

}  // namespace requestrouter::router
