#pragma once

#include "daemon/config/setting_source.h"

namespace requestrouter::config {

// Where the secrets of keys come from that do not say it themselves. `secret_command` has been
// read.
void ReadSecretStore(const SettingSource& source, Settings& settings);

}  // namespace requestrouter::config
