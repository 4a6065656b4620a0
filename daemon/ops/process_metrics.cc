#include "daemon/ops/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>

#include "daemon/ops/families.h"

namespace requestrouter::ops {
namespace {

using prometheus::MetricType;

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

double MostDescriptors() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

// The one that the counting itself opens is not counted.
double OpenDescriptors() {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), &closedir);
  if (!folder) return 0;
  int count = -1;
  while (const dirent* entry = readdir(folder.get())) {
    if (entry->d_name[0] != '.') ++count;
  }
  return count;
}

// proc(5): sizes in pages, the whole and what is resident first.
struct Memory {
  double whole = 0;
  double resident = 0;
};

Memory MemoryOfProcess() {
  std::ifstream file("/proc/self/statm");
  Memory memory;
  file >> memory.whole >> memory.resident;
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return {memory.whole * page, memory.resident * page};
}

// The field `number` (proc(5) counts from 1) of /proc/self/stat; the second is the command's name
// in parentheses, which may hold anything.
double StatField(int number) {
  std::ifstream file("/proc/self/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(text.rfind(')') + 1));
  std::string field;
  for (int i = 3; i <= number; ++i) fields >> field;
  return field.empty() ? 0 : std::stod(field);
}

double BootTime() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("btime ", 0) == 0) return std::stod(line.substr(6));
  }
  return 0;
}

double StartTime() {
  constexpr int kStartTime = 22;  // in clock ticks since boot
  static const double start =
      BootTime() + StatField(kStartTime) / static_cast<double>(sysconf(_SC_CLK_TCK));
  return start;
}

double ThreadCount() {
  constexpr int kThreads = 20;
  return StatField(kThreads);
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessMetrics() {
  const Memory memory = MemoryOfProcess();
  return {
      Single(MetricType::Counter, "process_cpu_seconds_total",
             "User and system CPU time spent in seconds.", CpuSeconds()),
      Single(MetricType::Gauge, "process_resident_memory_bytes", "Resident memory size in bytes.",
             memory.resident),
      Single(MetricType::Gauge, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
             memory.whole),
      Single(MetricType::Gauge, "process_open_fds", "Number of open file descriptors.",
             OpenDescriptors()),
      Single(MetricType::Gauge, "process_max_fds", "Maximum number of open file descriptors.",
             MostDescriptors()),
      Single(MetricType::Gauge, "process_start_time_seconds",
             "Start time of the process since unix epoch in seconds.", StartTime()),
      Single(MetricType::Gauge, "process_threads", "Number of threads of the process.",
             ThreadCount()),
  };
}

}  // namespace requestrouter::ops
