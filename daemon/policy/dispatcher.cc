#include "daemon/policy/dispatcher.h"

#include <utility>

#include "daemon/policy/dispatcher_impl.h"

namespace requestrouter::policy {

Dispatcher::Dispatcher(Config config, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(std::move(config), seed)) {}
Dispatcher::~Dispatcher() = default;

void Dispatcher::Configure(Config config, Instant now) { impl_->Configure(std::move(config), now); }

std::optional<Refusal> Dispatcher::Enter(Ask ask, Instant now) {
  return impl_->Enter(std::move(ask), now);
}

std::optional<Grant> Dispatcher::Next(Instant now) { return impl_->Next(now); }

std::vector<Refusal> Dispatcher::Expire(Instant now) { return impl_->Expire(now); }

bool Dispatcher::Leave(std::uint64_t ticket, Instant) { return impl_->Leave(ticket); }

std::optional<Refusal> Dispatcher::Finished(std::uint64_t ticket, const Report& report,
                                            Instant now) {
  return impl_->Finished(ticket, report, now);
}

Amounts Dispatcher::AmountsOf(std::uint64_t ticket, const std::optional<Demand>& used) const {
  return impl_->AmountsOf(ticket, used);
}

bool Dispatcher::IsWaiting(std::uint64_t ticket) const { return impl_->IsWaiting(ticket); }

Instant Dispatcher::NextDeadline(Instant now) const { return impl_->NextDeadline(now); }

std::optional<Standing> Dispatcher::StandingOf(std::uint64_t ticket, Instant now) const {
  return impl_->StandingOf(ticket, now);
}

std::vector<Standing> Dispatcher::Waiting(Instant now) const { return impl_->Waiting(now); }

std::size_t Dispatcher::waiting_count() const { return impl_->waiting_count(); }

std::vector<Considered> Dispatcher::Consider(const Ask& ask, Instant now) const {
  return impl_->Consider(ask, now);
}

bool Dispatcher::Serves(std::string_view model) const {
  return impl_->pool().FindModel(model).has_value();
}

bool Dispatcher::IsAvailable(std::string_view model, Instant now) const {
  return impl_->IsAvailable(model, now);
}

std::optional<Tier> Dispatcher::TierOf(std::string_view model) const {
  const auto found = impl_->pool().FindModel(model);
  return found ? impl_->planner().KnownTier(*found) : std::nullopt;
}

std::int64_t Dispatcher::EstimateTokens(std::string_view model, std::int64_t bytes) const {
  return impl_->estimator().Estimate(model, bytes);
}

void Dispatcher::Learn(std::string_view model, std::int64_t bytes, std::int64_t tokens) {
  impl_->estimator().Learn(model, bytes, tokens);
}

std::vector<KeyStatus> Dispatcher::Keys(Instant now) const { return impl_->pool().Keys(now); }

std::optional<KeyStatus> Dispatcher::Key(std::string_view key_id, Instant now) const {
  return impl_->pool().Key(key_id, now);
}

bool Dispatcher::Reset(std::string_view key_id, bool counters, Instant) {
  if (!impl_->pool().Reset(key_id, counters)) return false;
  impl_->KeysChanged();
  return true;
}

bool Dispatcher::SetEnabled(std::string_view key_id, bool enabled, Instant now) {
  if (!impl_->pool().SetEnabled(key_id, enabled, now)) return false;
  impl_->KeysChanged();
  return true;
}

void Dispatcher::SetHasSecret(std::string_view key_id, bool has_secret) {
  impl_->pool().SetHasSecret(key_id, has_secret);
  impl_->KeysChanged();
}

void Dispatcher::RestoreAttempts(std::string_view quota_group, std::string_view model,
                                 const Amounts& counted, Instant at) {
  impl_->pool().RestoreAttempts(quota_group, model, counted, at);
}

void Dispatcher::RestoreFullWindows(Instant at, Instant now) {
  impl_->pool().RestoreFullWindows(at, now);
}

void Dispatcher::RestoreDay(std::string_view quota_group, std::string_view model,
                            const Amounts& counted, Instant at, Instant now) {
  impl_->pool().RestoreDay(quota_group, model, counted, at, now);
}

void Dispatcher::RestoreHealth(const KnownHealth& known, Instant now) {
  impl_->pool().RestoreHealth(known, now);
}

Dispatcher::Changed Dispatcher::TakeChanged(Instant now) {
  KeyPool& pool = impl_->pool();
  std::vector<KnownHealth> health = pool.ChangedHealth(now);
  return {pool.TakeChanged(now), std::move(health)};
}

void Dispatcher::SanityCheck(Instant now) const { impl_->SanityCheck(now); }

}  // namespace requestrouter::policy
