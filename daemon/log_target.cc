#include "daemon/log_target.h"

// Where in the source a line comes from is nothing to operators.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/log_format.h"

namespace requestrouter {
namespace {

using spdlog::level::level_enum;

std::string_view NameOf(level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

// Finished lines to one of spdlog's sinks, which knows how to write and rotate; those that come
// together in one system call.
class LineTarget final : public LogTarget {
 public:
  LineTarget(std::shared_ptr<spdlog::sinks::sink> sink, bool json)
      : sink_(std::move(sink)), json_(json) {
    sink_->set_pattern("%v");
  }
  void Write(const LogFields& record, level_enum level, storage::Millis at) override {
    if (!lines_.empty()) lines_ += '\n';
    lines_ += json_ ? ToJsonLine(record, NameOf(level), at) : ToTextLine(record, NameOf(level), at);
  }
  void Flush() override {
    if (lines_.empty()) return;
    const std::string lines = std::exchange(lines_, {});
    sink_->log(spdlog::details::log_msg("", spdlog::level::info, lines));  // as it is, see "%v"
    sink_->flush();
  }

 private:
  const std::shared_ptr<spdlog::sinks::sink> sink_;
  const bool json_;
  std::string lines_;
};

int Priority(level_enum level) {
  switch (level) {
    case spdlog::level::critical:
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::info:
      return LOG_INFO;
    default:
      return LOG_DEBUG;
  }
}

// "request_id" -> "REQUEST_ID=…"
std::string JournalField(std::string_view name, std::string_view value) {
  std::string field;
  field.reserve(name.size() + 1 + value.size());
  for (const char c : name) {
    field += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return field.append("=").append(value);
}

class JournalTarget final : public LogTarget {
 public:
  void Write(const LogFields& record, level_enum level, storage::Millis at) override {
    std::vector<std::string> fields = {"MESSAGE=" + ToText(record),
                                       "PRIORITY=" + std::to_string(Priority(level)),
                                       "SYSLOG_IDENTIFIER=routerd"};
    for (const LogFields::Field& field : record.fields) {
      fields.push_back(JournalField(field.name, field.value));
    }
    std::vector<iovec> parts;
    parts.reserve(fields.size());
    for (std::string& field : fields) parts.push_back({field.data(), field.size()});
    if (!IsThere() || sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) < 0) {
      stderr_->Write(record, level, at);
      stderr_->Flush();
    }
  }

 private:
  // Where there is no journal libsystemd reports success.
  static bool IsThere() { return access("/run/systemd/journal/socket", W_OK) == 0; }

  const std::unique_ptr<LogTarget> stderr_ = NewStderrTarget(false);
};

}  // namespace

std::unique_ptr<LogTarget> NewStderrTarget(bool json) {
  return std::make_unique<LineTarget>(std::make_shared<spdlog::sinks::stderr_sink_st>(), json);
}

std::unique_ptr<LogTarget> NewFileTarget(const std::string& path, std::size_t most_bytes,
                                         std::size_t older, bool json) {
  spdlog::file_event_handlers handlers;
  handlers.after_open = [](const spdlog::filename_t&, std::FILE* file) {
    struct stat status {};
    const bool is_file = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    if (is_file) fchmod(fileno(file), S_IRUSR | S_IWUSR | S_IRGRP);  // and no device
  };
  return std::make_unique<LineTarget>(std::make_shared<spdlog::sinks::rotating_file_sink_st>(
                                          path, most_bytes, older, false, handlers),
                                      json);
}

std::unique_ptr<LogTarget> NewJournalTarget() { return std::make_unique<JournalTarget>(); }

bool StderrIsJournal() {
  const char* told = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (!told || fstat(STDERR_FILENO, &status) != 0) return false;
  return told == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace requestrouter
