#include <algorithm>

#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"

namespace requestrouter::secrets {
namespace {

// As a shell can name it.
char Portable(char c) {
  const bool kept = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return kept ? c : '_';
}

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// The value, or nullptr: not set. Empty counts as not set: that is how one is cleared.
const std::string* ValueOf(const std::string& name, const config::Environment& environment) {
  const auto at = environment.find(name);
  return at == environment.end() || at->second.empty() ? nullptr : &at->second;
}

}  // namespace

std::vector<std::string> VariablesOf(std::string_view key_id) {
  std::string portable(key_id);
  std::transform(portable.begin(), portable.end(), portable.begin(), Portable);
  std::string upper = portable;
  std::transform(upper.begin(), upper.end(), upper.begin(), Upper);
  std::vector<std::string> names;
  for (const std::string& spelling : {std::string(key_id), portable, upper}) {
    const std::string name = "API_KEY_" + spelling;
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

Found FromEnvironment(std::string_view key_id, const std::string& variable,
                      const config::Environment& environment) {
  const auto names = variable.empty() ? VariablesOf(key_id) : std::vector<std::string>{variable};
  const std::string* found = nullptr;
  const std::string* found_name = nullptr;
  for (const std::string& name : names) {
    const std::string* value = ValueOf(name, environment);
    if (value == nullptr) continue;
    if (found != nullptr && *value != *found) {
      return NotFound(*found_name + " and " + name + " are set to different values; remove one");
    }
    found = value;
    found_name = &name;
  }
  if (found != nullptr) return *found;
  return NotFound((names.size() > 1 ? "none of " + Join(names) : names[0]) +
                  (names.size() > 1 ? " is set; set one" : " is not set; set it") +
                  " in the environment or the --env-file");
}

}  // namespace requestrouter::secrets
