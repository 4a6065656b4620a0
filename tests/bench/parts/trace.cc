#include "daemon/router/trace.h"

#include <benchmark/benchmark.h>

#include <string>
#include <utility>

// What is kept of a request that is over, for `explain`, when the log is full.
namespace requestrouter::bench {
namespace {

router::Trace TraceOf(std::int64_t id) {
  router::Trace trace;
  trace.id = "request-" + std::to_string(id);
  trace.caller = "uid 1000, pid 4711";
  trace.state = "answered";
  for (const char* event : {"received", "granted", "sent", "answered"}) {
    trace.timeline.push_back({1'700'000'000'000 + id, event, ""});
  }
  trace.attempts.push_back({1, "k1", "gpt-5-mini", "ok", 200, 0, 1});
  trace.considered.Add({"k1", "gpt-5-mini", "chosen", {}});
  return trace;
}

void KeepTrace(benchmark::State& state) {
  router::TraceLog log;
  std::int64_t id = 0;
  for (; id < 10'000; ++id) log.Add(TraceOf(id));
  for (auto _ : state) log.Add(TraceOf(++id));
}
BENCHMARK(KeepTrace);

}  // namespace
}  // namespace requestrouter::bench
