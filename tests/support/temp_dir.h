#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace requestrouter::support {

// A private directory (0700) under TMPDIR that is removed, with all that is in it, at the end. Its
// path is short enough for ipc sockets. Throws std::runtime_error where it cannot be made.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(std::string_view name) const;

  // Creates or replaces a file; returns its path.
  std::string Write(std::string_view name, std::string_view content,
                    std::filesystem::perms mode = std::filesystem::perms::owner_read |
                                                  std::filesystem::perms::owner_write) const;
  // Everything in a file; empty where there is none.
  std::string Read(std::string_view name) const;

 private:
  std::string path_;
};

}  // namespace requestrouter::support
