#include "tests/bench/storage/load.h"

#include <time.h>

#include <algorithm>

namespace requestrouter::bench {
namespace {

// As many as a busy host has.
constexpr std::int64_t kConversations = 1'000;
constexpr storage::Millis kStart = 1'800'000'000'000;

double Quantile(const std::vector<double>& sorted, double part) {
  if (sorted.empty()) return 0;
  return sorted[static_cast<std::size_t>(part * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

storage::AttemptOpened OpenedOf(std::int64_t number) {
  storage::AttemptOpened opened;
  opened.attempt_id = number;
  opened.uid = 1000;
  opened.request_id = "request-" + std::to_string(number);
  opened.body_digest = std::string(16, 'd');
  opened.conv_id = "conversation-" + std::to_string(number % kConversations);
  opened.key_id = "gemini-flash-01";
  opened.quota_group = "gemini-flash-01";
  opened.model = "gemini-2.5-flash";
  opened.at = kStart + number;
  opened.input_tokens = 300;
  opened.output_tokens = 512;
  return opened;
}

storage::Finish FinishOf(std::int64_t number) {
  const storage::AttemptOpened opened = OpenedOf(number);
  storage::Finish finish;
  finish.attempt = storage::AttemptClosed{number, true, 280, 200};
  finish.usage.push_back(
      {1000, "coder", "", opened.key_id, opened.model, opened.at, 1, 0, 280, 200, 0, 70'000});
  const std::string answer(800, 'a');
  finish.result = storage::StoredResult{number,
                                        1000,
                                        opened.request_id,
                                        opened.conv_id,
                                        opened.body_digest,
                                        answer + std::string(400, 'r'),
                                        kStart * 2};
  storage::Turn turn;
  turn.uid = 1000;
  turn.conv_id = opened.conv_id;
  turn.total_tokens = 480;
  turn.model = opened.model;
  turn.key_id = opened.key_id;
  turn.at = opened.at;
  turn.expires_at = opened.at + 86'400'000;
  turn.messages = {{0, "user", std::string(400, 'q'), "", turn.at, 0, "", ""},
                   {0, "assistant", answer, "", turn.at, 200, turn.model, turn.key_id}};
  finish.turn = std::move(turn);
  return finish;
}

double Stopwatch::CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

Measured Stopwatch::Result() {
  const double cpu_us = 1e6 * (CpuSeconds() - cpu_began_);
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  std::sort(latencies_.begin(), latencies_.end());
  return {static_cast<double>(latencies_.size()) / seconds, Quantile(latencies_, 0.5),
          Quantile(latencies_, 0.99), cpu_us / static_cast<double>(latencies_.size())};
}

}  // namespace requestrouter::bench
