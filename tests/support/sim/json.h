#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace requestrouter::sim {

// Keeps the order of keys, because structured answers follow the order of their schema.
using Json = nlohmann::ordered_json;

// Text for the wire; bytes that are not UTF-8 are replaced instead of thrown about.
std::string Dump(const Json& value);

// The member of an object; nullptr where there is none, or it is null, or `object` is no object.
const Json* Find(const Json& object, const char* key);

// A string member; empty where there is none.
std::string TextAt(const Json& object, const char* key);

// A number member; `otherwise` where there is none.
std::int64_t IntAt(const Json& object, const char* key, std::int64_t otherwise);

bool BoolAt(const Json& object, const char* key);

// The items of an array member; an empty array where there is none.
const Json& ItemsAt(const Json& object, const char* key);

}  // namespace requestrouter::sim
