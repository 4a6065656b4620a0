#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/config/config.h"

namespace requestrouter::config {

// A directory of the test's own that goes with it.
class PrivateDirectory {
 public:
  PrivateDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "rr-config-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~PrivateDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PrivateDirectory(const PrivateDirectory&) = delete;
  PrivateDirectory& operator=(const PrivateDirectory&) = delete;

  std::string path() const { return path_.string(); }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

// What was said, one line a problem, without the directory's name.
inline std::vector<std::string> Lines(const std::vector<Problem>& problems,
                                      const PrivateDirectory& directory) {
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
  std::vector<std::string> lines;  // the errors, or else the warnings
  Config config;                   // where ok
};

// Loads `text` as keys.json.
inline Result LoadText(const std::string& text, const Environment& environment = {}) {
  const PrivateDirectory directory;
  auto loaded = Load(directory.Write("keys.json", text), environment);
  if (!loaded) return {false, Lines(loaded.error(), directory), {}};
  return {true, Lines(loaded->warnings, directory), std::move(loaded->config)};
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
