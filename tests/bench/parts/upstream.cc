#include <benchmark/benchmark.h>

#include "daemon/upstream/dialect.h"
#include "tests/bench/parts/samples.h"

// The providers' side: a prompt of 1 KiB (with so many earlier turns) to JSON, an answer from JSON.
namespace requestrouter::bench {
namespace {

using upstream::ProviderKind;

void PromptToJson(benchmark::State& state, ProviderKind kind) {
  const upstream::Attempt attempt = ChatAttempt(kind, static_cast<int>(state.range(0)));
  const upstream::Dialect& dialect = upstream::DialectOf(kind);
  for (auto _ : state) benchmark::DoNotOptimize(dialect.Encode(attempt));
}
BENCHMARK_CAPTURE(PromptToJson, gemini, ProviderKind::kGemini)->Arg(0)->Arg(20);
BENCHMARK_CAPTURE(PromptToJson, openai, ProviderKind::kOpenAi)->Arg(0)->Arg(20);
BENCHMARK_CAPTURE(PromptToJson, anthropic, ProviderKind::kAnthropic)->Arg(0)->Arg(20);

void JsonToAnswer(benchmark::State& state, ProviderKind kind) {
  const std::string body = ProviderBody(kind);
  const upstream::Dialect& dialect = upstream::DialectOf(kind);
  for (auto _ : state) {
    auto answer = dialect.Decode(body);
    if (!answer) state.SkipWithError(answer.error().c_str());
    benchmark::DoNotOptimize(answer);
  }
}
BENCHMARK_CAPTURE(JsonToAnswer, gemini, ProviderKind::kGemini);
BENCHMARK_CAPTURE(JsonToAnswer, openai, ProviderKind::kOpenAi);
BENCHMARK_CAPTURE(JsonToAnswer, anthropic, ProviderKind::kAnthropic);

}  // namespace
}  // namespace requestrouter::bench
