#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/router/clock.h"
#include "daemon/router/mailbox.h"
#include "ipc/socket.h"

namespace requestrouter::router {

// What the user database says of a caller.
struct User {
  std::string name;           // empty: it has none
  std::vector<gid_t> groups;  // see config::GroupsOf
  bool in_admin_group = false;
};

// Looks it up; may block on the network.
User LookUpUser(const ipc::Peer& peer, const std::string& admin_group);

// The users that have asked. The database may lie on the network and take long or for ever to
// answer, so it is asked on a thread of its own; whoever needs the answer is called back. Router
// thread only.
class Users {
 public:
  using Task = std::function<void()>;
  using LookUp = std::function<User(const ipc::Peer&, const std::string& admin_group)>;
  using Then = std::function<void(const std::shared_ptr<const User>&)>;

  // How long an answer holds: who joins the administrators, or is no longer one of them, is known
  // for one by then.
  static constexpr policy::Duration kFresh = std::chrono::minutes(1);
  // Remembered at once; beyond them all are forgotten.
  static constexpr std::size_t kMost = 4'096;

  // `run_elsewhere` runs a task on a thread that may block. All outlive it.
  Users(const Clock& clock, Mailbox& mailbox, std::function<void(Task)> run_elsewhere,
        LookUp look_up = LookUpUser)
      : clock_(clock),
        mailbox_(mailbox),
        run_elsewhere_(std::move(run_elsewhere)),
        look_up_(std::move(look_up)) {}

  // The group of the administrators, empty: none. What is known is forgotten: so it is at a reload.
  void Configure(std::string admin_group);

  // What was last known, however old; nullptr: nothing yet.
  std::shared_ptr<const User> Find(const ipc::Peer& peer) const;

  // Calls `then` with what holds now: at once where it is known, else once it has been looked up.
  void WhenKnown(const ipc::Peer& peer, Then then);

  // How many calls of WhenKnown wait.
  std::size_t waiting_count() const { return waiting_count_; }

 private:
  using Key = std::pair<uid_t, gid_t>;
  struct Known {
    std::shared_ptr<const User> user;
    policy::Instant at;
  };

  void Ask(const ipc::Peer& peer);
  void Learn(const ipc::Peer& peer, std::uint64_t configuration, User user);

  const Clock& clock_;
  Mailbox& mailbox_;
  const std::function<void(Task)> run_elsewhere_;
  const LookUp look_up_;
  std::string admin_group_;
  std::uint64_t configuration_ = 0;  // counts the calls of Configure
  std::map<Key, Known> known_;
  std::map<Key, std::vector<Then>> waiting_;
  std::size_t waiting_count_ = 0;
};

}  // namespace requestrouter::router
