#include "daemon/config/setting_source.h"

#include <utility>

namespace requestrouter::config {

std::optional<std::string> SettingSource::Text(std::string_view field,
                                               std::string_view variable) const {
  auto text = variables_.Text(variable);
  if (!text && block_ != nullptr) text = block_->Text(field);
  return text;
}

void SettingSource::Error(std::string_view field, std::string_view variable,
                          std::string message) const {
  if (!variable.empty() && variables_.Text(variable)) {
    variables_.Error(variable, std::move(message));
  } else if (block_ != nullptr) {
    block_->Error(field, std::move(message));
  }
}

void SettingSource::Warn(std::string_view field, std::string_view variable,
                         std::string message) const {
  if (!variable.empty() && variables_.Text(variable)) {
    variables_.Warn(variable, std::move(message));
  } else if (block_ != nullptr) {
    block_->report().Warn(block_->LineOf(field), block_->PathOf(field), std::move(message));
  }
}

}  // namespace requestrouter::config
