#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/config/object_reader.h"

// The block `keys` of keys.json.
namespace requestrouter::config {

// What the keys are read against. All outlive the call.
struct KeyContext {
  const std::map<std::string, Provider>& providers;
  const Settings& settings;
  std::string directory;  // of keys.json: where relative paths of secret files begin
};

// Reads every key and checks them against each other. `root` is the whole file.
std::vector<Key> ReadKeys(const ObjectReader& root, const KeyContext& context);

// Whether a key_id can be part of a variable's, a file's and a credential's name: letters, digits
// and "_-.:@+", beginning with a letter or digit, at most 128 bytes.
bool IsKeyId(std::string_view text);

}  // namespace requestrouter::config
