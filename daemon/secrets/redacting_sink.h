#pragma once

#include <memory>
#include <string>
#include <utility>

#include <spdlog/details/log_msg.h>
#include <spdlog/sinks/sink.h>

#include "daemon/secrets/redactor.h"

namespace requestrouter::secrets {

// Stands in front of a log sink: what it is given is redacted before the sink formats and writes
// it. Put one in front of every sink of every logger:
//
//   auto sink = std::make_shared<RedactingSink>(std::make_shared<spdlog::sinks::stderr_sink_mt>(),
//                                               ProcessRedactor());
//
// As thread-safe as the sink behind it: use the _mt ones.
class RedactingSink final : public spdlog::sinks::sink {
 public:
  // `redactor` outlives the sink.
  RedactingSink(std::shared_ptr<spdlog::sinks::sink> behind, const Redactor& redactor)
      : behind_(std::move(behind)), redactor_(redactor) {}

  void log(const spdlog::details::log_msg& message) override {
    if (!behind_->should_log(message.level)) return;
    const std::string text = redactor_.Redact({message.payload.data(), message.payload.size()});
    spdlog::details::log_msg redacted(message);
    redacted.payload = spdlog::string_view_t(text.data(), text.size());
    behind_->log(redacted);
  }
  void flush() override { behind_->flush(); }
  void set_pattern(const std::string& pattern) override { behind_->set_pattern(pattern); }
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
    behind_->set_formatter(std::move(formatter));
  }

 private:
  const std::shared_ptr<spdlog::sinks::sink> behind_;
  const Redactor& redactor_;
};

}  // namespace requestrouter::secrets
