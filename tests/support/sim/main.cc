// provider_sim: a stand-in for the providers, for the demo, the end-to-end tests and the bench.

#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <memory>
#include <stdexcept>

#include "tests/support/sim/server.h"

namespace {

namespace sim = requestrouter::sim;

struct Arguments {
  std::vector<std::string> keys;
  std::string config;
  std::string port_file;
  std::string ledger;
  std::int64_t latency_ms = 0, latency_jitter_ms = 0, stream_delta_ms = 0;
};

template <class T>
T Must(tl::expected<T, std::string> result) {
  if (!result) throw std::invalid_argument(result.error());
  return *std::move(result);
}

// {"keys": [see ParseKeyJson]}
void AddConfig(const std::string& path, std::vector<sim::KeySpec>* keys) {
  std::ifstream file(path);
  const sim::Json json = sim::Json::parse(file, nullptr, false);
  if (!json.is_object()) throw std::invalid_argument(path + ": not a JSON object");
  for (const sim::Json& key : sim::ItemsAt(json, "keys")) {
    keys->push_back(Must(sim::ParseKeyJson(key)));
  }
}

// A line of JSON for each provider's request: see ToJson(Record).
std::function<void(const sim::Record&)> WriteTo(const std::string& path) {
  if (path.empty()) return {};
  auto file = std::make_shared<std::ofstream>(path, std::ios::app);
  if (!*file) throw std::invalid_argument("cannot write " + path);
  return [file](const sim::Record& record) { *file << sim::ToJson(record).dump() << std::endl; };
}

void Fill(const Arguments& arguments, sim::ServiceOptions* options) {
  if (!arguments.config.empty()) AddConfig(arguments.config, &options->keys);
  for (const std::string& key : arguments.keys)
    options->keys.push_back(Must(sim::ParseKeyFlag(key)));
  options->on_ended = WriteTo(arguments.ledger);
  options->pace.latency = sim::Millis(arguments.latency_ms);
  options->pace.jitter = sim::Millis(arguments.latency_jitter_ms);
  options->pace.delta = sim::Millis(arguments.stream_delta_ms);
}

// Thousands of slow requests are in flight at once in the bench.
void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// The file first: who reads the line finds it there. Never half of it, either.
void Announce(const sim::Server& server, const std::string& port_file) {
  if (!port_file.empty()) {
    const std::string draft = port_file + ".new";
    std::ofstream(draft) << server.port() << '\n';
    if (std::rename(draft.c_str(), port_file.c_str()) != 0) {
      throw std::runtime_error("cannot write " + port_file);
    }
  }
  std::printf("listening on %s\n", server.url().c_str());
  std::fflush(stdout);
}

void PrintSummary(const sim::Counters& totals) {
  std::printf("%lld requests: %lld answered, %lld rate limited, %lld rejected, %lld faults\n",
              static_cast<long long>(totals.requests), static_cast<long long>(totals.answered),
              static_cast<long long>(totals.rate_limited), static_cast<long long>(totals.rejected),
              static_cast<long long>(totals.faulted));
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // clients leave in the middle of answers
  Arguments arguments;
  sim::Server::Options options;
  options.stop_on_signals = true;
  CLI::App cli("Speaks the dialects of Gemini, OpenAI and Anthropic on a loopback port.",
               "provider_sim");
  cli.add_option("--port", options.port, "0: any free one");
  cli.add_option("--port-file", arguments.port_file, "Write the port there when listening");
  cli.add_option("--config", arguments.config, "JSON: {\"keys\": [{\"secret\", \"rpm\", ...}]}");
  cli.add_option("--key", arguments.keys,
                 "SECRET or SECRET:rpm=10,tpm=250000,rpd=100,group=g; may be repeated")
      ->allow_extra_args(false);
  cli.add_flag("--accept-any-key", options.service.accept_any_key, "Unknown keys have no limits");
  cli.add_option("--ledger", arguments.ledger, "Write a line of JSON there for each request");
  cli.add_option("--latency-ms", arguments.latency_ms, "Before each answer");
  cli.add_option("--latency-jitter-ms", arguments.latency_jitter_ms, "Added at random, up to");
  cli.add_option("--stream-delta-ms", arguments.stream_delta_ms, "Between the pieces of a stream");
  cli.add_option("--stream-deltas", options.service.script.deltas, "Pieces of text in a stream");
  cli.add_option("--answer-bytes", options.service.script.bytes, "Size of every answer");
  cli.add_flag("--verbose", options.verbose, "A line for each request on stderr");
  CLI11_PARSE(cli, argc, argv);
  try {
    Fill(arguments, &options.service);
    RaiseDescriptorLimit();
    sim::Server server(std::move(options));
    Announce(server, arguments.port_file);
    server.Run();
    PrintSummary(server.totals());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "provider_sim: %s\n", error.what());
    return 1;
  }
  return 0;
}
