#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "daemon/secrets/secrets.h"

namespace requestrouter::secrets {
namespace {

std::size_t WholePages(std::size_t size) {
  static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

Secret::Secret(std::string_view text) {
  if (text.empty()) return;
  const std::size_t length = WholePages(text.size());
  void* pages = ::mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) std::abort();  // out of address space
  ::madvise(pages, length, MADV_DONTDUMP);
  ::madvise(pages, length, MADV_WIPEONFORK);
  (void)::mlock(pages, length);
  data_ = static_cast<char*>(pages);
  size_ = text.size();
  std::memcpy(data_, text.data(), size_);
}

Secret::~Secret() { Release(); }

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

void Secret::Release() noexcept {
  if (data_ == nullptr) return;
  ::explicit_bzero(data_, size_);
  ::munmap(data_, WholePages(size_));  // unlocks as well
  data_ = nullptr;
  size_ = 0;
}

}  // namespace requestrouter::secrets
