#pragma once

#include "daemon/config/setting_source.h"

namespace requestrouter::config {

// The log's level and format.
void ReadLogSettings(const SettingSource& source, Settings& settings);

}  // namespace requestrouter::config
