#include "daemon/request_log.h"

#include <spdlog/spdlog.h>

#include "daemon/log_record.h"
#include "daemon/router/key_states.h"
#include "ipc/names.h"

namespace requestrouter {
namespace {

using ipc::ErrorType;
using policy::KeyStateName;
using spdlog::level::level_enum;

// Most errors are the caller's to handle. These are the operator's.
level_enum LevelOf(const router::Ending& ending) {
  if (!ending.error) return spdlog::level::info;
  switch (ending.error->type) {
    case ErrorType::kInternalError:
      return spdlog::level::err;
    case ErrorType::kUpstreamAuth:
    case ErrorType::kStorageUnavailable:
      return spdlog::level::warn;
    default:
      return spdlog::level::info;
  }
}

void AddRequest(LogRecord& line, const router::LiveRequest& live) {
  line.With("caller", live.trace.caller)
      .With("caller_uid", static_cast<std::int64_t>(live.peer.uid))
      .With("agent", live.chat.agent)
      .With("user_id", live.chat.user_id)
      .With("conversation", live.chat.conv_id);
}

void AddGrant(LogRecord& line, const policy::Grant& grant) {
  line.With("model", grant.model).With("key_id", grant.key_id).With("provider", grant.provider);
}

void AddReply(LogRecord& line, const ipc::ChatReply& reply) {
  line.With("finish_reason", ipc::Name(reply.finish_reason))
      .With("input_tokens", reply.tokens.input)
      .With("output_tokens", reply.tokens.output)
      .With("cached_tokens", reply.tokens.cached);
  if (reply.cost_usd) line.With("cost_usd", *reply.cost_usd);
  if (reply.fallback) line.With("model_requested", reply.model_requested);
}

void LogCooldown(const router::Clock& clock, level_enum level, const policy::KeyStatus& status,
                 KeyStateName state, std::string_view model, const policy::Cooldown& cooldown,
                 policy::FaultKind cause) {
  LogRecord line("key state changed");
  line.With("key_id", status.key_id).With("model", model).With("state", router::Name(state));
  if (cooldown.until != policy::kNever) {
    line.With("until", router::Timestamp(router::WallAt(clock, cooldown.until)));
  }
  line.With("reason", cooldown.reason)
      .With("told_by", cooldown.source)
      .With("cause", policy::Name(cause));
  spdlog::log(level, line.packed());
}

}  // namespace

void RequestLog::Ended(const router::LiveRequest& live, const router::Ending& ending) {
  const level_enum level = LevelOf(ending);
  if (!spdlog::should_log(level)) return;
  LogRecord line(ending.error ? "request failed" : "request answered");
  line.With("request_id", live.id)
      .With("outcome", ending.error ? ipc::Name(ending.error->type) : "ok");
  AddRequest(line, live);
  if (live.grant) AddGrant(line, *live.grant);
  line.With("attempts", live.attempts)
      .With("waited_ms", router::ElapsedMs(live.WaitedUntil(ending.at)))
      .With("upstream_ms", router::ElapsedMs(live.at_provider))
      .With("duration_ms", router::ElapsedMs(ending.at - live.received));
  if (ending.reply) AddReply(line, *ending.reply);
  if (ending.error) line.With("error", ending.error->message);
  if (level != spdlog::level::info) {
    EndTurn();
    return spdlog::log(level, line.packed());
  }
  lines_ += line.packed();
  if (lines_.size() >= kMostTogether) EndTurn();
}

void RequestLog::EndTurn() {
  if (lines_.empty()) return;
  spdlog::info(lines_);
  lines_.clear();
}

void RequestLog::AttemptEnded(const router::LiveRequest& live, const upstream::Outcome& outcome,
                              const policy::Report& report) {
  if (!spdlog::should_log(spdlog::level::debug)) return;
  LogRecord line("attempt ended");
  line.With("request_id", live.id).With("attempt", live.attempts);
  AddGrant(line, *live.grant);
  line.With("outcome", report.conclusive ? policy::Name(report.fault.kind) : "cancelled")
      .With("status", static_cast<std::int64_t>(outcome.status))
      .With("reason", report.fault.reason)
      .With("error", report.fault.message);
  if (outcome.began_at != policy::Instant()) {
    line.With("duration_ms", router::ElapsedMs(outcome.ended_at - outcome.began_at))
        .With("first_byte_ms", static_cast<std::int64_t>(outcome.first_byte.count()));
  }
  spdlog::debug(line.packed());
}

void RequestLog::KeyChanged(const policy::KeyStatus& status, policy::FaultKind cause) {
  const bool disabled = status.state == KeyStateName::kDisabled;
  const level_enum level = disabled ? spdlog::level::warn : spdlog::level::info;
  if (!spdlog::should_log(level)) return;
  if (status.cooldown) {
    LogCooldown(clock_, level, status, status.state, "", *status.cooldown, cause);
    return;
  }
  for (const policy::ModelCooldown& one : status.model_cooldowns) {
    LogCooldown(clock_, level, status, one.state, one.model, one.cooldown, cause);
  }
  if (status.model_cooldowns.empty()) {
    spdlog::info(LogRecord("key state changed")
                     .With("key_id", status.key_id)
                     .With("state", router::Name(status.state))
                     .packed());
  }
}

}  // namespace requestrouter
