#include <algorithm>
#include <utility>

#include "daemon/router/access.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"
#include "daemon/router/request_key.h"
#include "ipc/codec.h"
#include "storage/crash_point.h"

namespace requestrouter::router {
namespace {

using ipc::ErrorType;

// Senders of one request who wait for its answer.
constexpr std::size_t kMostSubscribers = 1'000;

// received, waiting, granted, sent, answered: of a request that meets no trouble.
constexpr std::size_t kUsualEvents = 5;

ipc::Error UsedOtherwise(const std::string& request_id) {
  return ipc::MakeError(
      ErrorType::kRequestIdConflict,
      "the request id \"" + request_id + "\" was used with a different body; use a new id");
}

}  // namespace

ChatService::ChatService(Parts parts, std::shared_ptr<const Catalog> catalog)
    : parts_(parts),
      catalog_(std::move(catalog)),
      results_(static_cast<std::size_t>(catalog_->config().settings.max_results)),
      unwritten_(parts_.clock, parts_.mailbox, parts_.store,
                 [this](const storage::Finish& finish) { NoteResult(finish); }) {}

void ChatService::Restore(const storage::Recovered& recovered,
                          std::function<void(const storage::Result<void>&)> done) {
  const policy::Instant now = parts_.clock.Steady();
  last_attempt_id_ = recovered.last_attempt_id;
  last_result_id_ = recovered.last_result_id;
  RestoreBudgets(std::move(done));
  for (const storage::UnknownAttempt& attempt : recovered.unknown) {
    const policy::Instant forget_at = SteadyAt(parts_.clock, attempt.unknown_until);
    if (forget_at <= now) continue;
    orphans_[RequestKey(attempt.opened.uid, attempt.opened.request_id)] = {
        attempt.opened.body_digest, forget_at};
  }
  for (const storage::StoredResult& result : recovered.results) {
    results_.Add(result.uid, result.request_id, result.body_digest, result.id,
                 SteadyAt(parts_.clock, result.expires_at));
  }
}

void ChatService::Submit(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request) {
  if (AnswerKnownId(from, peer, request)) return;
  if (draining_) {
    SendError(from, request.id,
              ipc::MakeError(ErrorType::kShuttingDown, "routerd is stopping; connect again"));
    return;
  }
  Admit(from, peer, std::move(request));
}

bool ChatService::AnswerKnownId(const ipc::Envelope& from, const ipc::Peer& peer,
                                ipc::Request& request) {
  LiveRequest* live = table_.FindById(peer.uid, request.id);
  const UnwrittenEnds::End* unwritten = unwritten_.Find(peer.uid, request.id);
  const auto stored = results_.Find(peer.uid, request.id, parts_.clock.Steady());
  if (!live && !unwritten && !stored) return false;
  const std::string_view digest = live        ? live->digest
                                  : unwritten ? unwritten->finish->result->body_digest
                                              : stored->body_digest();
  if (digest != request.body_digest) {
    SendError(from, request.id, UsedOtherwise(request.id));
  } else if (!live && unwritten) {
    SendReplay(from, unwritten->reply);
  } else if (!live) {
    Replay(from, peer, std::move(request), stored->result_id);
  } else if (live->answered() && live->keeps_answer) {
    SendReplay(from, *live->final_payload);
  } else if (live->subscribers.size() + live->successors.size() >= kMostSubscribers) {
    SendError(from, request.id,
              ipc::MakeError(ErrorType::kOverloaded, std::to_string(kMostSubscribers) +
                                                         " senders wait for this request already"));
  } else if (live->answered()) {
    live->successors.push_back({from, peer, std::move(request)});
  } else {
    parts_.replies.Join(*live, from, peer.pid);
    if (live->trace.timeline.size() < kMostSubscribers) Note(*live, "joined");
  }
  return true;
}

void ChatService::Replay(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request,
                         std::int64_t result_id) {
  const std::string id = request.id;
  parts_.store.GetResult(result_id, peer.uid, id, parts_.clock.Wall(),
                         Later<storage::StoredResult>(
                             [this, from, peer, request = std::move(request)](auto result) mutable {
                               if (result) return SendReplay(from, result->reply);
                               if (result.error().code != storage::ErrorCode::kNotFound) {
                                 return SendError(from, request.id, ToError(result.error()));
                               }
                               results_.Remove(peer.uid, request.id);
                               Submit(from, peer, std::move(request));
                             }));
}

void ChatService::Admit(const ipc::Envelope& from, const ipc::Peer& peer, ipc::Request request) {
  auto added = std::make_unique<LiveRequest>();
  added->peer = peer;
  added->id = std::move(request.id);
  added->digest = std::move(request.body_digest);
  added->chat = std::get<ipc::ChatRequest>(std::move(request.body));
  added->received = parts_.clock.Steady();
  added->deadline = added->received + std::chrono::milliseconds(request.deadline_ms);
  added->subscribers.push_back({from, peer.pid, 0});
  LiveRequest& live = table_.Add(std::move(added));
  live.trace.timeline.reserve(kUsualEvents);
  live.trace.id = live.id;
  live.trace.uid = peer.uid;
  NameCaller(live);
  Note(live, "received");
  const bool first = !live.stored() || table_.EnterLine(live);
  if (const auto checked = CheckOrphan(live); !checked) return Fail(live, checked.error());
  const auto max_waiting = static_cast<std::size_t>(catalog_->config().settings.max_waiting);
  if (!first && table_.held_back() > max_waiting) {
    return Fail(live, ipc::MakeError(
                          ErrorType::kOverloaded,
                          std::to_string(max_waiting) +
                              " requests wait for earlier turns of their conversations already"));
  }
  if (!first) return Note(live, "held_back", "an earlier turn of the conversation is not done");
  BeginTurn(live);
}

// A name that is not known yet is put in when it is.
void ChatService::NameCaller(LiveRequest& live) {
  live.trace.caller = parts_.caller_names.Of(live.peer);
  const std::pair user(live.peer.uid, live.peer.gid);
  if (parts_.users.Find(live.peer) || !unnamed_.insert(user).second) return;
  parts_.users.WhenKnown(live.peer, [this, user](const auto&) {
    unnamed_.erase(user);
    table_.ForEach([&](LiveRequest& one) {
      if (std::pair(one.peer.uid, one.peer.gid) != user) return;
      one.trace.caller = parts_.caller_names.Of(one.peer);
    });
  });
}

ipc::Result<void> ChatService::CheckOrphan(LiveRequest& live) {
  const auto found = orphans_.find(RequestKey(live.peer.uid, live.id));
  if (found == orphans_.end()) return {};
  const Orphan orphan = found->second;
  if (orphan.forget_at <= parts_.clock.Steady()) {
    orphans_.erase(found);
    return {};
  }
  if (orphan.digest != live.digest) {
    return tl::unexpected(UsedOtherwise(live.id));
  }
  if (live.chat.on_unknown == ipc::OnUnknown::kFail) {
    ipc::Error error{ErrorType::kUpstreamUnavailable,
                     "routerd ended between sending this request and recording its answer; whether"
                     " the provider answered is not known",
                     std::nullopt, ipc::Value{{"outcome", "unknown"}}, false};
    return tl::unexpected(std::move(error));
  }
  live.warnings.emplace_back(
      "an earlier attempt at this request has an unknown outcome (routerd ended before its answer"
      " was recorded); it was sent again and may be billed twice");
  return {};
}

void ChatService::BeginTurn(LiveRequest& live) {
  live.begun = parts_.clock.Steady();
  if (live.stored() ? !storage_ready() : unwritten_.is_full()) {
    return Fail(live,
                ipc::MakeError(ErrorType::kStorageUnavailable,
                               "the conversation cannot be stored at present; nothing was sent"));
  }
  const bool names_key = !live.chat.key_id.empty() && !IsAdminByUid(live.peer);
  if (names_key || catalog_->rules_name_groups()) return LookUpUser(live);
  LoadHistory(live);
}

// Of those whose groups decide what they may use.
void ChatService::LookUpUser(LiveRequest& live) {
  const auto most = static_cast<std::size_t>(catalog_->config().settings.max_waiting);
  if (parts_.users.waiting_count() >= most) {
    return Fail(live, ipc::MakeError(
                          ErrorType::kOverloaded,
                          std::to_string(most) + " requests wait for the user database already"));
  }
  live.stage = Stage::kLoading;
  parts_.users.WhenKnown(live.peer, [this, ticket = live.ticket](const auto& user) {
    LiveRequest* asking = table_.Find(ticket);
    if (!asking || asking->stage != Stage::kLoading) return;
    asking->user = user;
    LoadHistory(*asking);
  });
}

void ChatService::LoadHistory(LiveRequest& live) {
  if (!live.stored() || !parts_.store.MayHaveConversation(live.peer.uid, live.chat.conv_id)) {
    return Enqueue(live, {});
  }
  live.stage = Stage::kLoading;
  parts_.store.GetConversation(
      live.peer.uid, live.chat.conv_id, parts_.clock.Wall(), std::nullopt,
      Later<storage::Conversation>(
          [this, ticket = live.ticket](auto loaded) { OnHistory(ticket, std::move(loaded)); }));
  storage::CrashPoint("loading");
}

void ChatService::OnHistory(std::uint64_t ticket, storage::Result<storage::Conversation> loaded) {
  LiveRequest* live = table_.Find(ticket);
  if (!live || live->stage != Stage::kLoading) return;
  if (loaded) return Enqueue(*live, std::move(*loaded));
  if (loaded.error().code == storage::ErrorCode::kNotFound) return Enqueue(*live, {});
  Fail(*live, ToError(loaded.error()));
}

void ChatService::Enqueue(LiveRequest& live, storage::Conversation conversation) {
  ipc::Result<void> ready = BuildPrompt(live, conversation);
  if (ready) ready = BuildAsk(live, conversation);
  if (!ready) return Fail(live, ready.error());
  const policy::Instant now = parts_.clock.Steady();
  if (const auto refusal = parts_.dispatcher.Enter(live.ask, now)) {
    return Fail(live, ToError(*refusal));
  }
  live.stage = Stage::kWaiting;
  live.waiting_since = now;
  Note(live, "waiting");
  if (live.chat.progress) watching_[live.ticket] = false;
  // At once, so that those who come next find the queue empty while there is room.
  Dispatch(now);
}

void ChatService::Note(LiveRequest& live, std::string_view event, std::string detail) {
  live.trace.timeline.push_back({parts_.clock.Wall(), event, std::move(detail)});
}

void ChatService::SendReplay(const ipc::Envelope& to, const std::string& payload) {
  parts_.replies.Send(to, AsReplayed(payload));
  parts_.observer.Replayed();
}

void ChatService::SendError(const ipc::Envelope& to, const std::string& id,
                            const ipc::Error& error) {
  parts_.replies.Send(to, ipc::EncodeError(id, error));
  parts_.observer.TurnedAway(error.type);
}

}  // namespace requestrouter::router
