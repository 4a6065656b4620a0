#include "tests/support/temp_dir.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

namespace requestrouter::support {

TempDir::TempDir() {
  const char* base = std::getenv("TMPDIR");
  path_ = std::string(base && *base ? base : "/tmp") + "/rr-XXXXXX";
  if (!mkdtemp(path_.data())) throw std::runtime_error("cannot make a directory like " + path_);
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string TempDir::File(std::string_view name) const { return path_ + "/" + std::string(name); }

std::string TempDir::Write(std::string_view name, std::string_view content,
                           std::filesystem::perms mode) const {
  const std::string path = File(name);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  std::filesystem::permissions(path, mode);
  file << content << std::flush;
  if (!file) throw std::runtime_error("cannot write " + path);
  return path;
}

std::string TempDir::Read(std::string_view name) const {
  std::ifstream file(File(name), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace requestrouter::support
