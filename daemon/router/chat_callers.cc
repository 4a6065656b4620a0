#include <algorithm>
#include <cmath>

#include "daemon/router/access.h"
#include "daemon/router/chat_service.h"
#include "daemon/router/errors.h"

// What callers may use (keys, models and budgets), what they take back, and what they ask of their
// requests.
namespace requestrouter::router {
namespace {

using ipc::ErrorType;

std::optional<std::int64_t> ToNano(const std::optional<double>& usd) {
  if (!usd) return std::nullopt;
  return std::llround(*usd * 1e9);
}

ipc::Error OverBudget(const std::string& what, std::int64_t ms_to_midnight) {
  ipc::Error error;
  error.type = ErrorType::kRateLimited;
  error.message = "this uid's budget of " + what + " a day is used up, or too small for this";
  error.retry_after_ms = ms_to_midnight;
  return error;
}

}  // namespace

// Whoever names a key passes by the choice that keeps quotas even and healthy keys in use.
ipc::Result<void> ChatService::CheckKey(const LiveRequest& live) const {
  const std::string& key_id = live.chat.key_id;
  if (key_id.empty()) return {};
  if (!IsAdmin(live.peer, live.user.get())) {
    return ipc::Fail(ErrorType::kPermissionDenied, "only administrators may choose the key");
  }
  if (catalog_->FindKey(key_id)) return {};
  return tl::unexpected(NoSuchKey(key_id));
}

// `suitable`: as SuitableModels gives it, none standing for all. Leaves those that are allowed.
ipc::Result<void> ChatService::KeepToAllowed(const LiveRequest& live, bool fallback,
                                             std::vector<std::string>& suitable) const {
  const config::CallerRule* rule = catalog_->RuleOf(live.peer, live.user.get());
  if (!rule || !rule->models) return {};
  const std::string& wanted = live.chat.model_preference;
  if (!wanted.empty() && !fallback && !Allows(*rule, wanted)) {
    return ipc::Fail(ErrorType::kPermissionDenied, "this uid may not use " + wanted);
  }
  if (suitable.empty()) suitable = catalog_->models();
  std::erase_if(suitable, [&](const std::string& model) { return !Allows(*rule, model); });
  if (!suitable.empty()) return {};
  return ipc::Fail(ErrorType::kPermissionDenied,
                   "this uid may use no model that could answer this");
}

// Of the model that is asked for, or else of the dearest that may answer; nullopt: no price is
// known.
std::optional<double> ChatService::EstimateCost(const LiveRequest& live) const {
  ipc::TokenUsage expected;
  expected.input = live.ask.demand.input_tokens;
  expected.output = live.ask.demand.output_tokens;
  if (parts_.dispatcher.Serves(live.ask.model)) return catalog_->CostOf(live.ask.model, expected);
  const auto& capable = live.ask.capable_models;
  std::optional<double> dearest;
  for (const std::string& model : capable.empty() ? catalog_->models() : capable) {
    dearest = std::max(dearest, catalog_->CostOf(model, expected));
  }
  return dearest;
}

ipc::Result<void> ChatService::HoldBudget(const LiveRequest& live) {
  const config::CallerRule* rule = catalog_->RuleOf(live.peer, live.user.get());
  if (!rule || (!rule->tokens_per_day && !rule->usd_per_day)) return {};
  const policy::Demand& demand = live.ask.demand;
  const std::optional<double> cost = EstimateCost(live);
  const policy::Spending estimate = {demand.input_tokens + demand.output_tokens,
                                     ToNano(cost).value_or(0)};
  using Verdict = policy::Budgets::Verdict;
  const Verdict verdict =
      budgets_.Hold(live.ticket, live.peer.uid, {rule->tokens_per_day, ToNano(rule->usd_per_day)},
                    estimate, Today());
  if (verdict == Verdict::kHeld) return {};
  return tl::unexpected(OverBudget(verdict == Verdict::kTokens ? "tokens" : "US dollars",
                                   kDayMs - parts_.clock.Wall() % kDayMs));
}

void ChatService::Spend(const storage::Usage& usage) {
  budgets_.Spend(usage.uid, {usage.input_tokens + usage.output_tokens, usage.cost_nano_usd},
                 Today());
}

// What the last daemon counted today.
void ChatService::RestoreBudgets(std::function<void(const storage::Result<void>&)> done) {
  storage::UsageQuery query;
  query.since = Today() * kDayMs;
  query.by_caller = true;
  parts_.store.QueryUsage(
      query, Later<std::vector<storage::UsageRow>>([this, done = std::move(done)](auto rows) {
        if (!rows) return done(tl::unexpected(rows.error()));
        for (const storage::UsageRow& row : *rows) Spend(row);
        done({});
      }));
}

bool ChatService::Cancel(uid_t uid, const std::string& id) {
  LiveRequest* live = table_.FindById(uid, id);
  if (!live || live->answered() || live->stage == Stage::kCommitting) return false;
  EndEarly(*live, ipc::MakeError(ErrorType::kCancelled, "cancelled by the caller"));
  return true;
}

void ChatService::CallerGone(pid_t pid) {
  parts_.caller_names.Forget(pid);
  for (LiveRequest* live : table_.OfProcess(pid)) {
    std::erase_if(live->subscribers, [pid](const Subscriber& one) { return one.pid == pid; });
    if (!live->subscribers.empty()) {
      table_.HandOver(*live, live->subscribers.front().pid);
      continue;
    }
    if (live->stage == Stage::kInFlight && !live->chat.stream) continue;
    EndEarly(*live, ipc::MakeError(ErrorType::kCancelled, "the caller's process ended"));
  }
}

std::size_t ChatService::waiting_count() const {
  return table_.CountIn(Stage::kHeldBack) + table_.CountIn(Stage::kLoading) +
         table_.CountIn(Stage::kWaiting);
}

std::optional<Trace> ChatService::FindTrace(uid_t uid, const std::string& id) {
  if (const LiveRequest* live = table_.FindById(uid, id); live && !live->settling()) {
    return live->trace;
  }
  return parts_.traces.Find(uid, id);
}

}  // namespace requestrouter::router
