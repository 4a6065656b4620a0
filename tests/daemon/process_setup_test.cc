#include "daemon/process_setup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace requestrouter {
namespace {

constexpr std::size_t kPages = 16;

// A file of letters, mapped privately.
class MappedFile {
 public:
  explicit MappedFile(const support::TempDir& directory) {
    const std::string path = directory.Write("file", std::string(kSize, 'f'));
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    bytes_ = static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    close(fd);
  }
  ~MappedFile() { munmap(bytes_, kSize); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  char* bytes() const { return bytes_; }
  void MakeReadOnly() const { mprotect(bytes_, kSize, PROT_READ); }
  std::string Read() const { return {bytes_, kSize}; }

  // That this process has mapped in: /proc/PID/pagemap, bit 63 (proc(5)).
  std::size_t PagesInMemory() const {
    const auto page_size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::vector<std::uint64_t> pages(kSize / page_size);
    const int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    const auto at = reinterpret_cast<std::uintptr_t>(bytes_) / page_size * sizeof pages[0];
    EXPECT_GT(pread(map, pages.data(), pages.size() * sizeof pages[0], static_cast<off_t>(at)), 0);
    close(map);
    std::size_t there = 0;
    for (const std::uint64_t page : pages) there += page >> 63;
    return there;
  }

 private:
  static constexpr std::size_t kSize = kPages * 4096;
  char* bytes_;
};

TEST(StartPages, OfAFileThatWasOnlyReadAreGivenBackAndReadAgain) {
  const support::TempDir directory;
  const MappedFile file(directory);
  file.MakeReadOnly();
  const std::string before = file.Read();
  ASSERT_GT(file.PagesInMemory(), 0U);
  ReleaseStartPages();
  EXPECT_EQ(file.PagesInMemory(), 0U);
  EXPECT_EQ(file.Read(), before);
}

TEST(StartPages, WhatWasWrittenBeforeAMappingBecameReadOnlyStays) {
  const support::TempDir directory;
  const MappedFile file(directory);
  file.bytes()[5] = 'w';
  file.MakeReadOnly();
  ReleaseStartPages();
  EXPECT_EQ(file.bytes()[5], 'w');
}

TEST(StartPages, OfAMappingThatMayBeWrittenStay) {
  const support::TempDir directory;
  const MappedFile file(directory);
  file.Read();
  const std::size_t before = file.PagesInMemory();
  ReleaseStartPages();
  EXPECT_EQ(file.PagesInMemory(), before);
}

}  // namespace
}  // namespace requestrouter
