#include "daemon/upkeep.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "ipc/quote.h"

namespace requestrouter {
namespace {

constexpr std::int64_t kSweepStep = 100;  // rows of a table

// Whose answers the last daemon did not live to record.
void LogUnknownOutcomes(const storage::Recovered& recovered, storage::Millis now) {
  for (const storage::UnknownAttempt& attempt : recovered.unknown) {
    if (attempt.unknown_until <= now) continue;
    const storage::AttemptOpened& opened = attempt.opened;
    spdlog::warn("unknown outcome: request {} of uid {}, sent at {} with key {} to {}",
                 ipc::Quoted(opened.request_id), opened.uid, router::Timestamp(opened.at),
                 opened.key_id, opened.model);
  }
}

}  // namespace

void Upkeep::OnTurn() {
  const policy::Instant now = parts_.clock.Steady();
  parts_.notify.Alive(now);
  parts_.insight.EndTurn();
  parts_.refresher.FetchMissing(*parts_.configuration.catalog(), now);
  if (now < next_sweep_) return;
  next_sweep_ = now + kSweepInterval;
  Sweep();
  parts_.logging.WarnOfLost();
}

policy::Duration Upkeep::LongestSleep() const {
  return std::min(parts_.notify.period() / 2, kSweepInterval);
}

// In small steps, so that turns get in between; the next one at once where this one had its fill.
void Upkeep::Sweep() {
  parts_.store.Submit(
      storage::Sweep{parts_.clock.Wall(), kSweepStep}, storage::Durability::kProcess,
      [this, &mailbox = parts_.mailbox](const storage::Result<storage::Written>& swept) {
        if (!swept || swept->count < kSweepStep) return;
        mailbox.Post([this] { next_sweep_ = {}; });
      });
}

void LogRecovered(const storage::Recovered& recovered, storage::Millis now, storage::Store& store) {
  LogUnknownOutcomes(recovered, now);
  if (!recovered.unclean) return;
  spdlog::warn("the last routerd did not stop cleanly{}; checking the database",
               recovered.other_boot ? ", nor did the machine" : "");
  store.Check(storage::CheckDepth::kQuick, [](auto damage) {
    if (!damage) return spdlog::error("the check failed: {}", damage.error().message);
    for (const std::string& line : *damage) spdlog::error("the database is damaged: {}", line);
    if (damage->empty()) spdlog::info("the database is whole");
  });
}

}  // namespace requestrouter
