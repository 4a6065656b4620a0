// storage_bench: turns a second and the latency that storing adds, for the store with `full` and
// `process` and for a bare SQLite loop that writes the same rows, side by side in one run.

#include <stdlib.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/bench/storage/load.h"

namespace requestrouter::bench {
namespace {

using storage::Durability;
using Run = Measured (*)(const std::string&, Durability, int, std::chrono::milliseconds);

struct Options {
  std::string directory = std::filesystem::temp_directory_path();
  int rounds = 5;
  std::chrono::milliseconds length{1'000};
};

struct Side {
  const char* name;
  Run run;
  Durability durability;
};

constexpr Side kSides[] = {{"store full", RunStore, Durability::kFull},
                           {"raw full", RunRaw, Durability::kFull},
                           {"store process", RunStore, Durability::kProcess},
                           {"raw process", RunRaw, Durability::kProcess}};

Measured InFreshFolder(const Options& options, const Side& side, int callers) {
  std::string pattern = options.directory + "/rr-storage-bench-XXXXXX";
  const std::string folder = mkdtemp(pattern.data());
  const Measured measured = side.run(folder, side.durability, callers, options.length);
  std::filesystem::remove_all(folder);
  return measured;
}

// The middle one by turns a second.
Measured Median(std::vector<Measured> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const Measured& a, const Measured& b) { return a.turns_per_s < b.turns_per_s; });
  return runs[runs.size() / 2];
}

// All sides take turns, so that a disk that is busy with something else is so for all of them.
nlohmann::json Compare(const Options& options, int callers) {
  std::vector<std::vector<Measured>> runs(std::size(kSides));
  for (int round = 0; round < options.rounds; ++round) {
    for (std::size_t i = 0; i < std::size(kSides); ++i) {
      runs[i].push_back(InFreshFolder(options, kSides[i], callers));
    }
  }
  nlohmann::json row = {{"callers", callers}};
  for (std::size_t i = 0; i < std::size(kSides); ++i) {
    const Measured median = Median(runs[i]);
    row[kSides[i].name] = {{"turns_per_s", median.turns_per_s},
                           {"p50_ms", median.p50_ms},
                           {"p99_ms", median.p99_ms},
                           {"cpu_us", median.cpu_us}};
  }
  const auto rate = [&](const char* side) { return row[side]["turns_per_s"].get<double>(); };
  row["full_of_raw"] = rate("store full") / rate("raw full");
  row["process_of_raw"] = rate("store process") / rate("raw process");
  return row;
}

void PrintRow(const nlohmann::json& row) {
  for (const Side& side : kSides) {
    const nlohmann::json& measured = row[side.name];
    std::printf("%7d  %-13s  %10.0f  %8.2f  %8.2f  %9.1f\n", row["callers"].get<int>(), side.name,
                measured["turns_per_s"].get<double>(), measured["p50_ms"].get<double>(),
                measured["p99_ms"].get<double>(), measured["cpu_us"].get<double>());
  }
  std::printf("         full is %.0f%% of its raw loop, process %.0f%%\n",
              100 * row["full_of_raw"].get<double>(), 100 * row["process_of_raw"].get<double>());
}

int Main(int argc, char** argv) {
  Options options;
  bool quick = false;
  bool json = false;
  CLI::App cli("Turns a second and added latency of the store against bare SQLite.",
               "storage_bench");
  cli.add_option("--dir", options.directory, "The disk to measure, by a folder on it");
  cli.add_flag("--quick", quick, "Shorter runs");
  cli.add_flag("--json", json, "One JSON object instead of a table");
  CLI11_PARSE(cli, argc, argv);
  if (quick) {
    options.rounds = 3;
    options.length = std::chrono::milliseconds(300);
  }
  nlohmann::json rows = nlohmann::json::array();
  if (!json) std::printf("callers  side              turns/s    p50 ms    p99 ms  us of CPU\n");
  for (const int callers : {1, 16, 64, 256}) {
    rows.push_back(Compare(options, callers));
    if (!json) PrintRow(rows.back());
  }
  if (json) std::printf("%s\n", nlohmann::json{{"storage", rows}}.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace requestrouter::bench

int main(int argc, char** argv) { return requestrouter::bench::Main(argc, argv); }
