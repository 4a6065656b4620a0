#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "tests/support/sim/chat.h"
#include "tests/support/sim/limits.h"

namespace requestrouter::sim {

// What has been done for one key and model, or for all.
struct Counters {
  std::int64_t requests = 0;      // that named a valid key
  std::int64_t answered = 0;      // billed, whether or not they arrived unspoilt
  std::int64_t rate_limited = 0;  // 429 for a limit
  std::int64_t rejected = 0;      // other errors: bad requests, revoked keys, unknown models
  std::int64_t faulted = 0;       // faults, of which the billed ones are in `answered` too
  std::int64_t client_left = 0;   // before the reply was complete
  std::int64_t input_tokens = 0;  // billed; the cached ones included
  std::int64_t cached_tokens = 0;
  std::int64_t output_tokens = 0;  // billed; reasoning included
  std::int64_t reasoning_tokens = 0;
};

Json ToJson(const Counters& counters);
void Bill(const Usage& usage, Counters* counters);

// One provider request.
struct Record {
  std::uint64_t number = 0;
  Millis at{0};  // since the statistics began
  const char* provider = "";
  std::string key;
  std::string model;
  bool stream = false;
  std::string outcome;  // "answered", "rate_limited", "rejected", or a fault's name
  int status = 0;       // 0: no HTTP answer
  std::string prompt;   // the beginning of the last user turn
  std::string digest;   // of all of it
  bool billed = false;
  bool client_left = false;
  Usage usage;
};

Json ToJson(const Record& record);

// The latest requests, and how often each prompt was answered (so that a test can see that nothing
// was paid for twice). Bounded: `kMaxRecords` and `kMaxPrompts`, older prompts stay.
class Ledger {
 public:
  static constexpr std::size_t kMaxRecords = 20'000;  // so that one that hangs is still there
  static constexpr std::size_t kRecent = 1000;
  static constexpr std::size_t kMaxPrompts = 100'000;
  static constexpr std::size_t kPromptBytes = 200;  // longer ones are cut, their digest added

  // Numbers from 1 on, without a gap.
  std::uint64_t Add(Record record);
  // nullptr: too long ago.
  Record* Find(std::uint64_t number);
  void CountPrompt(const std::string& text);
  void Clear();

  Json RecentJson() const;  // the last kRecent
  Json PromptsJson() const;

 private:
  std::uint64_t next_ = 1;
  std::deque<Record> records_;
  std::unordered_map<std::string, std::int64_t> prompts_;
};

}  // namespace requestrouter::sim
