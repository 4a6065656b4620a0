#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/config/config.h"
#include "tests/support/temp_dir.h"

namespace requestrouter::config {

// What was said, one line a problem, without the directory's name.
inline std::vector<std::string> Lines(const std::vector<Problem>& problems,
                                      const support::TempDir& directory) {
  std::vector<std::string> lines;
  for (const Problem& problem : problems) {
    std::string line = ToString(problem);
    const std::string prefix = directory.path() + "/";
    if (line.compare(0, prefix.size(), prefix) == 0) line.erase(0, prefix.size());
    lines.push_back(line);
  }
  return lines;
}

struct Result {
  bool ok = false;
  std::vector<std::string> lines;     // the errors, or else the warnings
  Config config;                      // where ok
  std::vector<std::string> warnings;  // beside errors
};

// Loads `text` as keys.json.
inline Result LoadText(const std::string& text, const Environment& environment = {}) {
  const support::TempDir directory;
  auto loaded = Load(directory.Write("keys.json", text), environment);
  if (!loaded) {
    std::vector<Problem>& all = loaded.error();
    const auto warning = [](const Problem& problem) { return problem.warning; };
    const auto warnings = std::find_if(all.begin(), all.end(), warning);
    EXPECT_TRUE(std::all_of(warnings, all.end(), warning)) << "the errors come first";
    return {false,
            Lines({all.begin(), warnings}, directory),
            {},
            Lines({warnings, all.end()}, directory)};
  }
  return {true, Lines(loaded->warnings, directory), std::move(loaded->config), {}};
}

// A file with one good key, whose further fields begin on line 3.
inline std::string KeyWith(const std::string& fields) {
  return "{\"keys\": [\n"
         "{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": \"m\",\n" +
         fields + "}]}";
}

// A file with one good key, whose further blocks begin on line 2.
inline std::string FileWith(const std::string& blocks) {
  return "{\"keys\": [{\"key_id\": \"a\", \"provider\": \"gemini\", \"model_name\": \"m\"}],\n" +
         blocks + "}";
}

inline std::string ConfigWith(const std::string& settings) {
  return FileWith("\"config\": {\n" + settings + "}");
}

inline std::string ProviderWith(const std::string& fields) {
  return FileWith(
      "\"providers\": {\"local\": {\"kind\": \"openai\", \"base_url\": "
      "\"http://127.0.0.1:9/v1\",\n" +
      fields + "}}");
}

}  // namespace requestrouter::config
