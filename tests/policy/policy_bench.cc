#include <benchmark/benchmark.h>

#include <string>

#include "daemon/policy/key_pool.h"
#include "tests/policy/support.h"

// What decisions cost: a choice among 1,000 keys of 5 models, a decision while many wait, and
// entering a long queue.
namespace requestrouter::policy {
namespace {

Config LargePool(std::int64_t rpm) {
  Config config = ConfigOf({});
  for (int i = 0; i < 1000; ++i) {
    KeySpec key = KeyFor("key" + std::to_string(i), "model0", {});
    key.models.clear();
    for (int m = 0; m < 5; ++m) {
      LimitSet limits = Rpm(rpm);
      limits.tpm = Limit{250'000};
      limits.rpd = 1'000'000'000;
      key.models.push_back({"model" + std::to_string(m), limits});
    }
    config.keys.push_back(key);
  }
  config.max_waiting = 100'000;
  return config;
}

// One request from Enter to Finished: two choices (whether there is room, then which).
void OneRequestAmongAThousandKeys(benchmark::State& state) {
  Dispatcher dispatcher(LargePool(1'000'000), 1);
  Host host(ConfigOf({}));
  for (auto _ : state) {
    Ask ask = host.AskFor("model" + std::to_string(host.last_ticket % 5), 100);
    host.now += milliseconds(1);
    dispatcher.Enter(ask, host.now);
    benchmark::DoNotOptimize(dispatcher.Next(host.now));
    dispatcher.Finished(ask.ticket, {}, host.now);
  }
}
BENCHMARK(OneRequestAmongAThousandKeys)->Unit(benchmark::kMicrosecond);

void PickAmongAThousandKeys(benchmark::State& state) {
  KeyPool pool(1);
  pool.Configure(LargePool(100), kStart);
  Choices choices;
  for (std::uint32_t m = 0; m < static_cast<std::uint32_t>(state.range(0)); ++m) {
    choices.push_back({m, Choice::kAnyTier});
  }
  const Demand demand{100, 100, 0, 0};
  const Tried none;
  Instant now = kStart;
  for (auto _ : state) {
    now += milliseconds(1);
    const auto cell = pool.Pick(choices, {demand, "", none, false}, now);
    if (!cell) continue;
    state.PauseTiming();
    const Admission admission = pool.Admit(*cell, demand, false, now);
    pool.End(admission, {}, now);
    state.ResumeTiming();
  }
}
BENCHMARK(PickAmongAThousandKeys)->Arg(1)->Arg(5)->Unit(benchmark::kMicrosecond);

// Saturated: each iteration a window's request comes free and the head of the line takes it.
void DecideWhileManyWait(benchmark::State& state) {
  Config config = ConfigOf({KeyFor("a", "flash", Rpm(60)), KeyFor("b", "flash", Rpm(60))});
  config.max_waiting = 1'000'000;
  Host host(config);
  Dispatcher dispatcher(config, 1);
  const auto enter = [&] {
    Ask ask = host.AskFor("flash");
    ask.uid = static_cast<std::uint32_t>(host.last_ticket % 7);
    ask.pid = static_cast<std::int32_t>(host.last_ticket % 101);
    ask.deadline = ask.wait_until = host.now + hours(100'000);
    dispatcher.Enter(ask, host.now);
  };
  for (std::int64_t i = 0; i < state.range(0); ++i) enter();
  for (auto _ : state) {
    auto grant = dispatcher.Next(host.now);
    while (!grant) {
      host.now = dispatcher.NextDeadline(host.now);
      grant = dispatcher.Next(host.now);
    }
    dispatcher.Finished(grant->ticket, {}, host.now);
    state.PauseTiming();
    enter();
    state.ResumeTiming();
  }
}
BENCHMARK(DecideWhileManyWait)->Arg(10)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMicrosecond);

// A saturated pool of a thousand keys: the head is blocked, one request ends.
void WakeASaturatedPool(benchmark::State& state) {
  Dispatcher dispatcher(LargePool(1), 1);
  Host host(ConfigOf({}));
  std::uint64_t first = 0;
  for (int i = 0; i < 2'000; ++i) {
    dispatcher.Enter(host.AskFor("model0"), host.now);
    while (dispatcher.Next(host.now)) host.now += milliseconds(1);
  }
  for (auto _ : state) {
    dispatcher.Finished(++first, {}, host.now);
    auto grant = dispatcher.Next(host.now);
    benchmark::DoNotOptimize(grant);
    benchmark::DoNotOptimize(dispatcher.NextDeadline(host.now));
    if (first == 900) state.SkipWithError("ran out of requests");
  }
}
BENCHMARK(WakeASaturatedPool)->Iterations(800)->Unit(benchmark::kMicrosecond);

void EnterALongQueue(benchmark::State& state) {
  Config config = LargePool(1);
  Dispatcher dispatcher(config, 1);
  Host host(ConfigOf({}));
  for (auto _ : state) {
    Ask ask = host.AskFor("model0");
    ask.pid = static_cast<std::int32_t>(host.last_ticket % 101);
    host.now += std::chrono::microseconds(100);
    dispatcher.Enter(ask, host.now);
    benchmark::DoNotOptimize(dispatcher.Next(host.now));
  }
}
BENCHMARK(EnterALongQueue)->Iterations(11'000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace requestrouter::policy

BENCHMARK_MAIN();
