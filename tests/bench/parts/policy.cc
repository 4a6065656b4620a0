#include <benchmark/benchmark.h>

#include <string>

#include "daemon/policy/dispatcher.h"

// A decision from Enter to Finished while there is room, with so many keys of the model. What
// decisions cost when many wait: ./dev bench policy.
namespace requestrouter::bench {
namespace {

policy::Config ConfigOf(std::int64_t keys) {
  policy::Config config;
  for (std::int64_t i = 0; i < keys; ++i) {
    policy::KeySpec key;
    key.key_id = "key" + std::to_string(i);
    key.provider = "openai";
    key.quota_group = key.key_id;
    policy::LimitSet limits;
    limits.rpm = policy::Limit{1'000'000'000};
    key.models = {{"model", limits}};
    config.keys.push_back(std::move(key));
  }
  return config;
}

void Decision(benchmark::State& state) {
  policy::Dispatcher dispatcher(ConfigOf(state.range(0)), 1);
  policy::Instant now{std::chrono::hours(1000)};
  policy::Ask ask;
  ask.uid = 1000;
  ask.pid = 1;
  ask.model = "model";
  ask.demand.input_tokens = 256;
  for (auto _ : state) {
    now += std::chrono::milliseconds(1);
    ++ask.ticket;
    ask.deadline = ask.wait_until = now + std::chrono::hours(1);
    dispatcher.Enter(ask, now);
    benchmark::DoNotOptimize(dispatcher.Next(now));
    dispatcher.Finished(ask.ticket, {}, now);
  }
}
BENCHMARK(Decision)->Arg(1)->Arg(10)->Arg(1'000);

}  // namespace
}  // namespace requestrouter::bench
