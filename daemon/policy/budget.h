#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>

// What callers may spend in a day, and what they have spent. A day is a number that grows by one
// at each midnight of the zone that counts. What is under way is held at its estimate, so that a
// burst of requests does not overrun a budget together; what it cost in the end is what counts.
namespace requestrouter::policy {

struct Spending {
  std::int64_t tokens = 0;  // input and output
  std::int64_t nano_usd = 0;
};

// Absent: not limited.
struct Budget {
  std::optional<std::int64_t> tokens;
  std::optional<std::int64_t> nano_usd;
};

class Budgets {
 public:
  enum class Verdict : std::uint8_t { kHeld, kTokens, kCost };

  // Holds `estimate` until Release, or says what it exceeds and holds nothing. Used up budgets
  // admit nothing, not even what seems to cost nothing. A ticket is held once.
  Verdict Hold(std::uint64_t ticket, std::uint32_t uid, const Budget& budget,
               const Spending& estimate, std::int64_t day);
  // Unknown tickets are ignored.
  void Release(std::uint64_t ticket);

  void Spend(std::uint32_t uid, const Spending& spending, std::int64_t day);
  Spending SpentBy(std::uint32_t uid, std::int64_t day) const;

 private:
  struct Account {
    std::int64_t day = 0;  // of `spent`
    Spending spent;
    Spending held;
  };
  struct Held {
    std::uint32_t uid;
    Spending estimate;
  };

  std::map<std::uint32_t, Account> accounts_;
  std::unordered_map<std::uint64_t, Held> held_;
};

}  // namespace requestrouter::policy
