#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <tl/expected.hpp>

#include "daemon/config/config.h"

namespace requestrouter {

class LogSink;

struct LogOptions {
  std::string level = "info";  // trace, debug, info, warning (or warn), error, off; in any case
  bool json = false;           // without effect on the journal
  std::string file;            // empty: the journal where stderr leads to it, else stderr
  std::size_t file_bytes = 10u << 20;
  std::size_t files = 5;
};

// As configured; `level` of the command line wins where it is not empty.
LogOptions LogOptionsOf(const config::Settings& settings, const std::string& level);

// The process's log, from construction to destruction: spdlog's default logger. Lines are queued by
// whoever logs and written by a thread of their own, because what reads stderr may stand still: at
// once, or a few milliseconds after the line before. Where the queue is full the oldest are lost,
// and counted. Every line goes through the process's redactor. What the levels mean is in
// config/REFERENCE.md.
class Logging {
 public:
  // The error says what to do. One at a time in a process.
  static tl::expected<std::unique_ptr<Logging>, std::string> Start(const LogOptions& options);
  // Writes what is queued.
  ~Logging();
  Logging(const Logging&) = delete;
  Logging& operator=(const Logging&) = delete;

  // From now on; a file is opened again, also where it was moved away. An error changes nothing.
  tl::expected<void, std::string> Change(const LogOptions& options);

  // Waits until what was logged before is written, at most a second. Not on the router thread once
  // it serves.
  void Flush();

  // Lines that could not be queued or written. Any thread.
  std::uint64_t lost() const;

  // Says in the log how many lines were lost since the last call, if any.
  void WarnOfLost();

 private:
  explicit Logging(std::shared_ptr<LogSink> sink);

  const std::shared_ptr<LogSink> sink_;
  const std::shared_ptr<std::atomic<std::uint64_t>> unwritten_;
  std::uint64_t warned_of_ = 0;
};

}  // namespace requestrouter
