#include <benchmark/benchmark.h>

#include "ipc/codec.h"
#include "ipc/digest.h"
#include "tests/bench/parts/samples.h"

// The socket's side: a chat of 1 KiB decoded and validated, its digest alone, its reply encoded.
namespace requestrouter::bench {
namespace {

void DecodeChat(benchmark::State& state) {
  const std::string payload = ChatPayload();
  for (auto _ : state) benchmark::DoNotOptimize(ipc::DecodeRequest(payload, {}));
}
BENCHMARK(DecodeChat);

void DigestOfChat(benchmark::State& state) {
  const ipc::Value body = ipc::Value::from_msgpack(ChatPayload())["body"];
  for (auto _ : state) benchmark::DoNotOptimize(ipc::Digest(body));
}
BENCHMARK(DigestOfChat);

void EncodeReply(benchmark::State& state) {
  const ipc::ChatReply reply = ChatAnswer();
  for (auto _ : state) benchmark::DoNotOptimize(ipc::EncodeChatReply("request-1", reply));
}
BENCHMARK(EncodeReply);

}  // namespace
}  // namespace requestrouter::bench
