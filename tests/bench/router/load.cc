#include "tests/bench/router/load.h"

#include <algorithm>

namespace requestrouter::bench {
namespace {

// More than any test has outstanding; a power of two.
constexpr std::size_t kSlots = 1 << 17;

}  // namespace

Load::Load(const LoadOptions& options, Target* target)
    : options_(options),
      measured_from_(options.start + options.warm_up),
      measured_until_(measured_from_ + options.length),
      target_(target),
      slots_(kSlots) {}

LoadReport Load::Run() {
  const Target::Arrived arrived = [this](std::uint64_t number, const std::string& error) {
    Take(number, error);
  };
  const auto end = measured_until_ + options_.tail;
  for (auto now = options_.now(); now < end; now = options_.now()) {
    SendWhatIsDue(now);
    const auto left = std::min(NextDue(), end) - options_.now();
    target_->Wait(std::max<std::chrono::nanoseconds>(left, {}), arrived);
  }
  const auto give_up = end + options_.patience;
  for (auto now = options_.now(); outstanding_ > 0 && now < give_up; now = options_.now()) {
    target_->Wait(give_up - now, arrived);
  }
  report_.unanswered = outstanding_;
  return report_;
}

void Load::SendWhatIsDue(Clock::time_point now) {
  if (options_.rate <= 0) {
    while (outstanding_ < options_.in_flight && Send(now)) {
    }
    return;
  }
  while (NextDue() <= now && Send(NextDue())) {
  }
}

Clock::time_point Load::NextDue() const {
  if (options_.rate <= 0) return Clock::time_point::max();
  const std::chrono::duration<double> at(static_cast<double>(sent_) / options_.rate);
  return options_.start + std::chrono::duration_cast<Clock::duration>(at);
}

// False: too many are outstanding; it stays due.
bool Load::Send(Clock::time_point due) {
  Outstanding& slot = Slot(sent_ + 1);
  if (slot.number != 0) return false;
  const auto now = options_.now();
  target_->Send(++sent_);
  slot = {due, sent_};
  ++outstanding_;
  if (IsMeasured(due)) report_.late.Add((now - due).count());
  return true;
}

Load::Outstanding& Load::Slot(std::uint64_t number) { return slots_[number & (kSlots - 1)]; }

bool Load::IsMeasured(Clock::time_point at) const {
  return at >= measured_from_ && at < measured_until_;
}

void Load::Take(std::uint64_t number, const std::string& error) {
  Outstanding& slot = Slot(number);
  if (slot.number != number) return;
  const auto now = options_.now();
  slot.number = 0;
  --outstanding_;
  if (!error.empty()) {
    ++report_.failed;
    report_.error = error;
    return;
  }
  if (IsMeasured(now)) ++report_.in_time;
  if (IsMeasured(slot.due)) report_.latency.Add((now - slot.due).count());
}

}  // namespace requestrouter::bench
