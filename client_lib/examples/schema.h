#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace requestrouter::examples {

// What keeps `value` from being an instance of a JSON schema, a sentence each; empty where it is
// one. Knows `type`, `required`, `properties`, `items`, `minItems`, `minLength` and `enum`, which
// is what agents ask for. Written here because Debian 12 has no validator for C++.
std::vector<std::string> Mistakes(const nlohmann::json& value, const nlohmann::json& schema,
                                  const std::string& path = "the answer");

}  // namespace requestrouter::examples
