#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/config/setting_source.h"

// The settings that are whole numbers.
namespace requestrouter::config {

struct NumberSetting {
  std::string_view field;
  std::string_view variable;  // that wins over the field; empty: none
  std::int64_t min, max;
  void (*set)(Settings& settings, std::int64_t value);
};

const std::vector<NumberSetting>& NumberSettings();

void ReadNumbers(const SettingSource& source, Settings& settings);

}  // namespace requestrouter::config
