#pragma once

#include <map>
#include <string>

#include "daemon/config/object_reader.h"
#include "daemon/config/variables.h"

// The block `providers` of keys.json over the providers that are known without it, and the
// variables ROUTERD_<PROVIDER>_BASE_URL over both.
namespace requestrouter::config {

// The known ones, with the addresses of their own documentation.
std::map<std::string, Provider> BuiltInProviders();

// `block` is null where the file has none.
std::map<std::string, Provider> ReadProviders(const ObjectReader* block,
                                              const Variables& variables);

// ROUTERD_<PROVIDER>_BASE_URL: the name in upper case, '-' and '.' as '_'.
std::string BaseUrlVariable(std::string_view provider);

}  // namespace requestrouter::config
