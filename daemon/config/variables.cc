#include "daemon/config/variables.h"

#include <charconv>
#include <system_error>

#include "daemon/config/json_tree.h"
#include "daemon/config/object_reader.h"

namespace requestrouter::config {

std::optional<std::string> Variables::Text(std::string_view name) const {
  const auto at = environment_->find(name);
  if (at == environment_->end() || at->second.empty()) return std::nullopt;
  return at->second;
}

std::optional<std::int64_t> Variables::Whole(std::string_view name, std::int64_t min,
                                             std::int64_t max) const {
  const auto text = Text(name);
  if (!text) return std::nullopt;
  std::int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error == std::errc() && at == end && value >= min && value <= max) return value;
  const bool large =
      at == end && (error == std::errc::result_out_of_range || value > max) && text->front() != '-';
  Error(name, (large ? "must be at most " + std::to_string(max) : WholeNumberRule(min, max)) +
                  ", is " + Quote(*text));
  return std::nullopt;
}

void Variables::Error(std::string_view name, std::string message) const {
  report_->AddError(At(name, std::move(message)));
}

void Variables::Warn(std::string_view name, std::string message) const {
  report_->AddWarning(At(name, std::move(message)));
}

Problem Variables::At(std::string_view name, std::string message) const {
  if (dotenv_ != nullptr) {
    const auto in_file = dotenv_->values.find(name);
    const auto in_all = environment_->find(name);
    const auto line = dotenv_->lines.find(name);
    if (in_file != dotenv_->values.end() && in_all != environment_->end() &&
        in_file->second == in_all->second && line != dotenv_->lines.end()) {
      return {dotenv_->path, line->second, std::string(name), std::move(message)};
    }
  }
  return {"environment", 0, std::string(name), std::move(message)};
}

}  // namespace requestrouter::config
