#pragma once

#include <map>
#include <string>

#include "daemon/config/object_reader.h"

// One entry of `keys`.
namespace requestrouter::config {

// What the keys are read against. All outlive the call.
struct KeyContext {
  const std::map<std::string, Provider>& providers;
  const Settings& settings;
  std::string directory;  // of keys.json: where relative paths of secret files begin
};

// Reads one key; what is wrong with it is reported.
Key ReadKey(const ObjectReader& reader, const KeyContext& context);

}  // namespace requestrouter::config
