#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "daemon/config/object_reader.h"
#include "daemon/config/variables.h"

// The block `config` of keys.json and the variables that win over it.
namespace requestrouter::config {

// A setting that is a whole number.
struct NumberSetting {
  std::string_view field;
  std::string_view variable;  // that wins over the field; empty: none
  std::int64_t min, max;
  void (*set)(Settings& settings, std::int64_t value);
};

const std::vector<NumberSetting>& NumberSettings();

// `block` is null where the file has none.
Settings ReadSettings(const ObjectReader* block, const Variables& variables);

}  // namespace requestrouter::config
