#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "ipc/operations.h"
#include "requestrouter/error.h"

// The requests a client has in flight, and what becomes of each when the daemon goes away, comes
// back, answers or stays silent. Decisions only: time is an argument and bytes are moved by others.
// Background thread only.
namespace requestrouter::client {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;

// Who waits for one request. Called on the background thread, without any lock held.
class Observer {
 public:
  virtual ~Observer() = default;
  // One message before the final one. False: the answer is not wanted any more.
  virtual bool OnEvent(const ipc::Value& body) noexcept = 0;
  // Exactly once, and last.
  virtual void OnDone(Result<ipc::Value> outcome) noexcept = 0;
};

struct PendingRequest {
  std::string id;
  // The payload, for a deadline in milliseconds from now: sent again, less of it is left.
  std::function<std::string(std::int64_t deadline_ms)> encode;
  TimePoint started;
  TimePoint deadline;
  bool resend = true;
  // The id of the request that this one cancels, or empty.
  std::string cancels;
  std::shared_ptr<Observer> observer;
};

class RequestTable {
 public:
  struct Options {
    std::chrono::milliseconds connect_timeout;
    std::chrono::milliseconds reconnect_timeout;
    // Why there is no daemon, asked when a request is given up for that.
    std::function<Error()> explain_no_daemon;
  };

  // How long the daemon is given to say itself that the deadline passed: its error knows more.
  static constexpr std::chrono::milliseconds kDeadlineGrace{500};
  // Pause before a request that was answered `shutting_down` is sent again.
  static constexpr std::chrono::milliseconds kDrainPause{200};
  // A request that saw the daemon go this many times is likely what ends it, and is given up.
  static constexpr int kMaxLosses = 8;

  explicit RequestTable(Options options);

  // Fails the request at once where its id is in flight already (kRequestIdConflict). One that
  // cancels a request which the daemon does not have yet is served here.
  void Add(PendingRequest request);

  // The state of the connection, as the socket reports it. `OnConnecting`: something accepted the
  // connection but has not greeted yet, as under socket activation. Replies that the socket still
  // holds are to be given to OnReply before OnDisconnected: they are from the daemon that went.
  void OnConnecting();
  void OnConnected();
  void OnDisconnected(TimePoint now);

  // Ids of the requests to send now, oldest first; empty unless connected.
  std::vector<std::string> Sendable(TimePoint now) const;
  // The payload of one of them.
  std::string Encode(const std::string& id, TimePoint now) const;
  void MarkSent(const std::string& id);

  void OnReply(ipc::Reply reply, TimePoint now);

  // Nobody waits for this request any more: completes it with kCancelled. True where the daemon has
  // it and is to be told.
  bool Abandon(const std::string& id);

  // As Abandon, but what the daemon has ends as the daemon says.
  bool Cancel(const std::string& id);

  // Ids abandoned by their observer in OnReply, for the daemon to be told.
  std::vector<std::string> TakeAbandoned();

  // Completes what has waited long enough. `NextExpiry` is when to call this and Sendable again.
  void Expire(TimePoint now);
  std::optional<TimePoint> NextExpiry() const { return next_expiry_; }

  // Completes one request; unknown ids are ignored.
  void Fail(const std::string& id, Error error);
  // Completes everything with `error`.
  void FailAll(const Error& error);

  bool empty() const { return entries_.empty(); }

 private:
  enum class Link : std::uint8_t { kDown, kConnecting, kUp };

  struct Entry {
    PendingRequest request;
    std::uint64_t order = 0;
    bool sent = false;
    int losses = 0;             // of the daemon that had it
    TimePoint not_before;       // of the next send
    std::int64_t next_seq = 0;  // of the events; those before it were delivered
    bool streaming = false;     // a delta was delivered
    bool cancelled = false;     // the daemon was asked to cancel it: not to be sent again
    std::string partial;
  };
  using Entries = std::unordered_map<std::string, Entry>;

  void OnFinal(Entries::iterator it, ipc::Reply reply, TimePoint now);
  void OnEvent(Entries::iterator it, const ipc::Value& body);
  void Complete(Entries::iterator it, Result<ipc::Value> outcome);
  void MarkUnsent(Entry& entry);
  // What the loss of the daemon means for a request that was sent; nullopt: send it again.
  std::optional<Error> LossOf(const Entry& entry) const;
  TimePoint ExpiryOf(const Entry& entry) const;
  Error ExpiryErrorOf(const Entry& entry, TimePoint now) const;
  void WakeBy(TimePoint at);
  // What was to be sent by `after` needs no waking for.
  void RecomputeNextExpiry(TimePoint after);

  const Options options_;
  Entries entries_;
  std::map<std::uint64_t, std::string> unsent_;  // ids by order of arrival
  // Never later than the first moment something is due; may be earlier. So a reply costs no scan.
  std::optional<TimePoint> next_expiry_;
  std::uint64_t next_order_ = 0;
  Link link_ = Link::kDown;
  bool ever_connected_ = false;
  TimePoint down_since_;  // while not kUp and ever_connected_
  std::vector<std::string> abandoned_;
};

}  // namespace requestrouter::client
