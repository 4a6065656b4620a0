#include "daemon/logging.h"

#include <pthread.h>
#include <spdlog/async.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <exception>
#include <optional>
#include <thread>
#include <utility>

#include "daemon/log_record.h"
#include "daemon/log_target.h"
#include "daemon/policy/lower_case.h"
#include "daemon/secrets/redacting_sink.h"
#include "threads/mutex.h"
#include "threads/scheduling.h"

namespace requestrouter {

// After everything is written: what comes meanwhile waits for company. A wake-up for each line cost
// a lone request 40 us.
constexpr std::chrono::milliseconds kRest{5};

// The end of the queue: takes lines apart and hands them to where they are written at present.
// Nobody is kept waiting while it writes, which may last.
class LogSink final : public spdlog::sinks::sink {
 public:
  explicit LogSink(std::unique_ptr<LogTarget> target) : target_(std::move(target)) {}

  // Of which this is the end: its thread is the one that logs here. Before the first line.
  void ComesFrom(spdlog::details::thread_pool& queue) { queue_ = &queue; }

  void Use(std::unique_ptr<LogTarget> target) {
    const threads::Lock lock(mutex_);
    target_ = std::move(target);
  }

  void log(const spdlog::details::log_msg& message) override {
    const auto since_epoch = message.time.time_since_epoch();
    const auto at = std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
    const std::shared_ptr<LogTarget> target = Current();
    std::exception_ptr lost;  // one line of several is no reason to lose the others
    for (const std::string_view line : Apart({message.payload.data(), message.payload.size()})) {
      try {
        target->Write(Unpack(line), message.level, at);
      } catch (const spdlog::spdlog_ex&) {
        lost = std::current_exception();
      }
    }
    target->Flush();
    if (queue_->queue_size() == 0) std::this_thread::sleep_for(kRest);
    if (lost) std::rethrow_exception(lost);
  }
  void flush() override {
    const threads::Lock lock(mutex_);
    ++flushed_;
    flushed_now_.notify_all();
  }

  // Runs `ask`, which makes the queue's end call flush(), and waits for that.
  template <typename Ask>
  void AwaitFlush(Ask ask) {
    threads::Lock lock(mutex_);
    const std::uint64_t before = flushed_;
    lock.unlock();
    ask();
    lock.lock();
    lock.WaitFor(flushed_now_, std::chrono::seconds(1),
                 [&]() RR_REQUIRES(mutex_) { return flushed_ > before; });
  }

  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

 private:
  std::shared_ptr<LogTarget> Current() {
    const threads::Lock lock(mutex_);
    return target_;
  }

  spdlog::details::thread_pool* queue_ = nullptr;
  threads::Mutex mutex_;
  std::shared_ptr<LogTarget> target_ RR_GUARDED_BY(mutex_);
  std::uint64_t flushed_ RR_GUARDED_BY(mutex_) = 0;
  std::condition_variable flushed_now_;
};

namespace {

constexpr std::size_t kQueue = 4'096;  // lines

std::optional<spdlog::level::level_enum> LevelOf(const std::string& text) {
  std::string name = policy::LowerCase(text);
  if (name == "warn") name = "warning";
  if (name == "critical") name = "error";
  const spdlog::level::level_enum level = spdlog::level::from_str(name);
  if (level == spdlog::level::off && name != "off") return std::nullopt;
  return level;
}

tl::expected<std::unique_ptr<LogTarget>, std::string> TargetOf(const LogOptions& options) {
  if (options.file.empty()) {
    return StderrIsJournal() ? NewJournalTarget() : NewStderrTarget(options.json);
  }
  try {
    return NewFileTarget(options.file, options.file_bytes, options.files, options.json);
  } catch (const spdlog::spdlog_ex& error) {
    return tl::unexpected("config.log_file: " + std::string(error.what()) +
                          "; let routerd's user write there, or leave log_file out");
  }
}

tl::expected<spdlog::level::level_enum, std::string> CheckedLevel(const LogOptions& options) {
  if (const auto level = LevelOf(options.level)) return *level;
  return tl::unexpected("no log level \"" + options.level +
                        "\": use trace, debug, info, warning, error, critical or off");
}

}  // namespace

LogOptions LogOptionsOf(const config::Settings& settings, const std::string& level) {
  return {level.empty() ? settings.log_level : level, settings.log_json, settings.log_file,
          static_cast<std::size_t>(settings.log_file_bytes),
          static_cast<std::size_t>(settings.log_files)};
}

tl::expected<std::unique_ptr<Logging>, std::string> Logging::Start(const LogOptions& options) {
  const auto level = CheckedLevel(options);
  if (!level) return tl::unexpected(level.error());
  auto target = TargetOf(options);
  if (!target) return tl::unexpected(target.error());
  std::unique_ptr<Logging> logging(new Logging(std::make_shared<LogSink>(std::move(*target))));
  spdlog::set_level(*level);
  return logging;
}

Logging::Logging(std::shared_ptr<LogSink> sink)
    : sink_(std::move(sink)), unwritten_(std::make_shared<std::atomic<std::uint64_t>>(0)) {
  spdlog::init_thread_pool(kQueue, 1, [] {
    pthread_setname_np(pthread_self(), "log");
    threads::ServeTheRouter();
  });
  sink_->ComesFrom(*spdlog::thread_pool());
  auto logger = std::make_shared<spdlog::async_logger>(
      "routerd", std::make_shared<secrets::RedactingSink>(sink_, secrets::ProcessRedactor()),
      spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
  logger->set_error_handler([unwritten = unwritten_](const std::string&) { ++*unwritten; });
  spdlog::set_default_logger(std::move(logger));
}

Logging::~Logging() {
  const auto logger = spdlog::default_logger();  // outlives the thread that writes to it
  spdlog::shutdown();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>("none"));  // for who is late
}

tl::expected<void, std::string> Logging::Change(const LogOptions& options) {
  const auto level = CheckedLevel(options);
  if (!level) return tl::unexpected(level.error());
  auto target = TargetOf(options);
  if (!target) return tl::unexpected(target.error());
  sink_->Use(std::move(*target));
  spdlog::set_level(*level);
  return {};
}

void Logging::Flush() {
  sink_->AwaitFlush([] { spdlog::default_logger()->flush(); });
}

std::uint64_t Logging::lost() const {
  return *unwritten_ + spdlog::thread_pool()->overrun_counter();
}

void Logging::WarnOfLost() {
  const std::uint64_t lost_now = lost();
  if (lost_now == warned_of_) return;
  spdlog::warn(LogRecord("log lines were lost: whatever takes the log did not keep up, or failed")
                   .With("at_least", static_cast<std::int64_t>(lost_now - warned_of_))
                   .packed());
  warned_of_ = lost_now;
}

}  // namespace requestrouter
