#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <spdlog/common.h>

#include "daemon/log_record.h"
#include "storage/store.h"

// Where log lines end up. Confined to the thread that writes the log.
namespace requestrouter {

class LogTarget {
 public:
  virtual ~LogTarget() = default;
  // Throws spdlog::spdlog_ex where the line is lost. May be kept for company until Flush().
  virtual void Write(const LogFields& record, spdlog::level::level_enum level,
                     storage::Millis at) = 0;
  // Throws spdlog::spdlog_ex where lines are lost.
  virtual void Flush() {}
};

std::unique_ptr<LogTarget> NewStderrTarget(bool json);

// A file that is renamed when it has `most_bytes`, to FILE.1, FILE.2, …, of which `older` are
// kept. Its owner writes and its group reads it. Throws spdlog::spdlog_ex where it cannot be
// opened.
std::unique_ptr<LogTarget> NewFileTarget(const std::string& path, std::size_t most_bytes,
                                         std::size_t older, bool json);

// systemd's journal: the message as text, and every field as a field of its own, in upper case.
// What the journal does not take goes to stderr.
std::unique_ptr<LogTarget> NewJournalTarget();

// Whether stderr leads to the journal, as systemd tells its services (systemd.exec(5),
// JOURNAL_STREAM): then it is better told directly.
bool StderrIsJournal();

}  // namespace requestrouter
