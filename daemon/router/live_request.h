#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/policy/dispatcher.h"
#include "daemon/router/trace.h"
#include "daemon/router/users.h"
#include "daemon/upstream/attempt.h"
#include "ipc/chat.h"
#include "ipc/operations.h"
#include "ipc/socket.h"

namespace requestrouter::router {

// One who gets the answer of a request: its sender, or a later sender of the same id and body.
struct Subscriber {
  ipc::Envelope to;
  pid_t pid = 0;
  std::int64_t next_seq = 0;
};

// One who asks again with an id whose request has failed for a reason that need not hold any more,
// while its end is being stored: asks anew when it is forgotten.
struct Successor {
  ipc::Envelope from;
  ipc::Peer peer;
  ipc::Request request;
};

// How far a chat request has come. Transitions happen in ChatService only:
//   kHeldBack -> kLoading -> kWaiting <-> kInFlight -> kCommitting -> (erased)
// where kInFlight -> kWaiting is a retry, and any stage -> kCommitting or erased on failure.
enum class Stage : std::uint8_t {
  kHeldBack,    // an earlier turn of its conversation is not done
  kLoading,     // its user is being looked up, or its conversation's history read
  kWaiting,     // in the dispatcher's queue
  kInFlight,    // granted, its attempt is logged and at the provider
  kCommitting,  // over; its end is being stored
};

// A chat request from its arrival until its end is stored.
struct LiveRequest {
  std::uint64_t ticket = 0;
  ipc::Peer peer;
  std::shared_ptr<const User> user;  // null: not known, and not needed
  std::string id;
  std::string digest;     // of the body; see ipc::Request::body_digest
  ipc::ChatRequest chat;  // its messages: until there is a prompt, but for a turn that is stored
  policy::Instant received;
  policy::Instant deadline;
  Stage stage = Stage::kHeldBack;
  std::vector<Subscriber> subscribers;

  std::optional<std::string> new_system_prompt;  // to be stored with the turn
  std::shared_ptr<const upstream::Prompt> prompt;
  std::int64_t prompt_bytes = 0;
  policy::Ask ask;

  std::optional<policy::Grant> grant;  // of the current or last attempt
  std::int64_t attempt_id = 0;         // 0: none open in the attempt log
  policy::Instant begun{};             // its turn came; 0: not yet
  policy::Instant waiting_since{};     // in kWaiting
  policy::Instant granted_at;
  std::int64_t attempts = 0;
  policy::Duration waited{};           // for capacity, until the last grant
  policy::Duration at_provider{};      // of all attempts that are over
  std::vector<ipc::ChatDelta> deltas;  // streamed so far, for those who join
  bool paused = false;                 // a subscriber does not keep up
  std::vector<std::string> warnings;

  // Set once the answer has gone out: later senders of the same request get this, and an attempt
  // that is still running only has to be settled.
  std::optional<std::string> final_payload;
  // False: the answer was for those who had asked by then; later ones are successors.
  bool keeps_answer = false;
  std::vector<Successor> successors;

  Trace trace;  // in the TraceLog once it is settling

  // For capacity in all, the wait under way included.
  policy::Duration WaitedUntil(policy::Instant now) const {
    return waited + (stage == Stage::kWaiting ? now - waiting_since : policy::Duration::zero());
  }
  bool queued() const { return waiting_since != policy::Instant(); }  // it has been, at least
  bool stored() const { return !chat.conv_id.empty(); }               // as a turn of a conversation
  bool answered() const { return final_payload.has_value(); }
  bool settling() const { return answered() && stage == Stage::kCommitting; }
};

}  // namespace requestrouter::router
