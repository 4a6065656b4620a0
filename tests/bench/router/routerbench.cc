// A load client of ./dev bench router, one process of several: sends one-shot or stored chats to a
// ROUTER endpoint, or the same chats to a provider itself, and prints, as one line of JSON, how
// many were answered and histograms of how long that took: [[nanoseconds, count], …].
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <ctime>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/router/direct_target.h"
#include "tests/bench/router/load.h"
#include "tests/bench/router/router_target.h"

namespace requestrouter::bench {
namespace {

using Json = nlohmann::json;

struct Options {
  std::string endpoint;
  std::string url;
  std::string model;
  std::int64_t in_flight = 1;
  double rate = 0;
  std::int64_t start_ns = 0;
  double warm_up = 0;
  double seconds = 2;
  double tail = 0;
  double patience = 10;
  std::size_t bytes = 1024;
  bool stored = false;
};

Clock::duration Seconds(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

// Of one core, by this process.
double CpuShareSince(Clock::time_point start) {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  const std::chrono::duration<double> wall = Clock::now() - start;
  return (static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9) /
         wall.count();
}

std::unique_ptr<Target> MakeTarget(const Options& options) {
  const std::string prompt(options.bytes, 'x');
  if (!options.url.empty()) {
    return std::make_unique<DirectTarget>(options.url, prompt, options.model);
  }
  return std::make_unique<RouterTarget>(options.endpoint, prompt, options.model, options.stored);
}

Json ToJson(const Histogram& histogram) {
  Json buckets = Json::array();
  histogram.ForEach([&](std::uint64_t ns, std::int64_t count) { buckets.push_back({ns, count}); });
  return buckets;
}

Json ToJson(const LoadReport& report) {
  return {{"in_time", report.in_time},         {"failed", report.failed},
          {"unanswered", report.unanswered},   {"error", report.error},
          {"latency", ToJson(report.latency)}, {"late", ToJson(report.late)}};
}

// Instants are kept to microseconds, and there is a descriptor for every call.
void PrepareProcess() {
  prctl(PR_SET_TIMERSLACK, 1UL);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

int Main(int argc, char** argv) {
  CLI::App app{"Load for a router or a provider: one client process"};
  Options options;
  auto* where = app.add_option_group("target", "one of");
  where->add_option("--endpoint", options.endpoint, "of a router, ipc://…");
  where->add_option("--url", options.url,
                    "of a provider's chat completions; its key is in BENCH_API_KEY");
  where->require_option(1);
  app.add_option("--model", options.model, "asked for");
  app.add_option("--in-flight", options.in_flight, "kept outstanding")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--rate", options.rate, "requests a second instead, at fixed instants")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--start-ns", options.start_ns, "when to begin, on CLOCK_MONOTONIC");
  app.add_option("--warm-up", options.warm_up, "seconds that are not measured")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--seconds", options.seconds, "that are measured")->check(CLI::PositiveNumber);
  app.add_option("--tail", options.tail, "seconds of the same load after that, not measured")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--patience", options.patience, "seconds to wait for answers after that")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--bytes", options.bytes, "of the prompt")->check(CLI::Range(1, 1 << 20));
  app.add_flag("--stored", options.stored, "every request is a conversation of its own");
  CLI11_PARSE(app, argc, argv);
  PrepareProcess();
  try {
    const std::unique_ptr<Target> target = MakeTarget(options);
    LoadOptions load;
    load.in_flight = options.in_flight;
    load.rate = options.rate;
    load.start = options.start_ns > 0
                     ? Clock::time_point(std::chrono::nanoseconds(options.start_ns))
                     : Clock::now();
    load.warm_up = Seconds(options.warm_up);
    load.length = Seconds(options.seconds);
    load.tail = Seconds(options.tail);
    load.patience = Seconds(options.patience);
    std::this_thread::sleep_until(load.start);
    Json report = ToJson(Load(load, target.get()).Run());
    report["cpu"] = CpuShareSince(load.start);
    std::cout << report.dump() << "\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "routerbench: " << error.what() << "\n";
    return 1;
  }
}

}  // namespace
}  // namespace requestrouter::bench

int main(int argc, char** argv) { return requestrouter::bench::Main(argc, argv); }
