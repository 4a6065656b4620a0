#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "daemon/router/clock.h"
#include "daemon/router/mailbox.h"
#include "ipc/socket.h"
#include "storage/store.h"

namespace requestrouter::router {

// Ends of requests and attempts that the database has refused, because it is full or broken: kept
// in order and tried again, one after the other, until it takes them. Lost when the daemon ends.
// Router thread only.
class UnwrittenEnds {
 public:
  // How many before requests without a conversation are refused, too (see is_full), and what is
  // only counted, neither a turn nor an answer that is to be repeated, is not kept any more.
  static constexpr std::size_t kMost = 1'000;

  struct End {
    std::shared_ptr<const storage::Finish> finish;
    std::string reply;  // what those who ask again get until it is stored
  };

  // Everything outlives it, but that the store may answer when it is gone. `on_written` is told of
  // each that is stored at last.
  UnwrittenEnds(const Clock& clock, Mailbox& mailbox, storage::Store& store,
                std::function<void(const storage::Finish&)> on_written);

  // Stores an end that nobody waits for; one that is refused is kept.
  void Write(storage::Finish finish);
  // Keeps one that has been refused.
  void Keep(std::shared_ptr<const storage::Finish> finish, std::string reply);

  // The one that holds the answer of that request; nullptr: none.
  const End* Find(uid_t uid, const std::string& request_id) const;

  // Tries the first one again when it is time to.
  void Retry();
  policy::Instant NextDeadline() const;

  bool empty() const { return ends_.empty(); }
  bool is_full() const { return ends_.size() >= kMost; }
  std::size_t count() const { return ends_.size(); }
  // Those that were not kept: missing from the usage.
  std::size_t uncounted() const { return uncounted_; }

 private:
  void OnRetried(bool written);

  const Clock& clock_;
  Mailbox& mailbox_;
  storage::Store& store_;
  const std::function<void(const storage::Finish&)> on_written_;
  std::deque<End> ends_;  // in order
  std::size_t uncounted_ = 0;
  bool retrying_ = false;
  policy::Instant retry_at_{};
};

}  // namespace requestrouter::router
