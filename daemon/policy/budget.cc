#include "daemon/policy/budget.h"

#include "daemon/policy/invariant.h"

namespace requestrouter::policy {
namespace {

bool Exceeds(const std::optional<std::int64_t>& limit, std::int64_t used, std::int64_t estimate) {
  return limit && (used >= *limit || estimate > *limit - used);
}

}  // namespace

Budgets::Verdict Budgets::Hold(std::uint64_t ticket, std::uint32_t uid, const Budget& budget,
                               const Spending& estimate, std::int64_t day) {
  Require(!held_.contains(ticket), "a ticket is held once");
  Account& account = accounts_[uid];
  const Spending spent = SpentBy(uid, day);
  if (Exceeds(budget.tokens, spent.tokens + account.held.tokens, estimate.tokens)) {
    return Verdict::kTokens;
  }
  if (Exceeds(budget.nano_usd, spent.nano_usd + account.held.nano_usd, estimate.nano_usd)) {
    return Verdict::kCost;
  }
  account.held.tokens += estimate.tokens;
  account.held.nano_usd += estimate.nano_usd;
  held_.emplace(ticket, Held{uid, estimate});
  return Verdict::kHeld;
}

void Budgets::Release(std::uint64_t ticket) {
  const auto found = held_.find(ticket);
  if (found == held_.end()) return;
  const auto& [uid, estimate] = found->second;
  Spending& held = accounts_.at(uid).held;
  held.tokens -= estimate.tokens;
  held.nano_usd -= estimate.nano_usd;
  held_.erase(found);
}

void Budgets::Spend(std::uint32_t uid, const Spending& spending, std::int64_t day) {
  Account& account = accounts_[uid];
  if (account.day != day) account.spent = {};
  account.day = day;
  account.spent.tokens += spending.tokens;
  account.spent.nano_usd += spending.nano_usd;
}

Spending Budgets::SpentBy(std::uint32_t uid, std::int64_t day) const {
  const auto found = accounts_.find(uid);
  if (found == accounts_.end() || found->second.day != day) return {};
  return found->second.spent;
}

}  // namespace requestrouter::policy
