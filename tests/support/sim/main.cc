// provider_sim: a stand-in for the providers, for the demo, the end-to-end tests and the bench.

#include <CLI/CLI.hpp>

#include <csignal>
#include <cstdio>
#include <exception>

#include "tests/support/sim/server.h"

namespace {

requestrouter::sim::Server* running = nullptr;

void Stop(int) { running->Stop(); }

}  // namespace

int main(int argc, char** argv) {
  requestrouter::sim::Server::Options options;
  std::vector<std::string> keys;
  CLI::App cli("Speaks the dialects of Gemini, OpenAI and Anthropic on a loopback port.",
               "provider_sim");
  cli.add_option("--port", options.port, "0: any free one");
  cli.add_option("--key", keys, "SECRET or SECRET:rpm=10,tpm=250000,rpd=100; may be repeated");
  cli.add_flag("--accept-any-key", options.accept_any_key, "Unknown keys have no limits");
  cli.add_option("--latency-ms", options.latency_ms, "Before each answer");
  cli.add_option("--stream-delta-ms", options.stream_delta_ms, "Between the pieces of a stream");
  cli.add_option("--answer-bytes", options.answer_bytes, "Size of every answer");
  CLI11_PARSE(cli, argc, argv);
  try {
    for (const std::string& key : keys) options.keys.push_back(requestrouter::sim::ParseKey(key));
    requestrouter::sim::Server server(std::move(options));
    running = &server;
    std::signal(SIGTERM, &Stop);
    std::signal(SIGINT, &Stop);
    std::printf("listening on http://127.0.0.1:%u\n", static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    server.Run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "provider_sim: %s\n", error.what());
    return 1;
  }
  return 0;
}
