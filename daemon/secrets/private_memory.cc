#include "daemon/secrets/private_memory.h"

#include <curl/curl.h>
#include <jemalloc/jemalloc.h>
#include <malloc.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <new>

// The sanitizers bring an allocator of their own, and LeakSanitizer must be able to look inside.
#ifndef REQUESTROUTER_SANITIZED
namespace {

// Of a block, what is overwritten: a request's headers begin its buffer, and curl's buffers of
// 16 KiB and more, which hold bodies, would else cost more than anything around them.
constexpr std::size_t kMostWiped = 4096;

void Wipe(void* block, std::size_t size) noexcept {
  explicit_bzero(block, std::min(size, kMostWiped));
}

void WipeAndFree(void* block) noexcept {
  if (!block) return;
  Wipe(block, malloc_usable_size(block));
  std::free(block);
}

// To be told the size saves looking it up, which is most of the cost.
void WipeAndFree(void* block, std::size_t size) noexcept {
  if (!block) return;
  Wipe(block, size);
  sdallocx(block, std::max<std::size_t>(size, 1), 0);
}

// Growing by std::realloc could leave the old copy behind.
void* WipingRealloc(void* block, std::size_t size) noexcept {
  const std::size_t before = block ? malloc_usable_size(block) : 0;
  if (block && size != 0 && size <= before) return block;
  void* const grown = std::malloc(std::max<std::size_t>(size, 1));
  if (!grown) return nullptr;
  if (block) memcpy(grown, block, size < before ? size : before);
  WipeAndFree(block);
  return grown;
}

}  // namespace

// Replaced for the whole program: strings that held a secret are freed all over it and its
// libraries. The array and sized forms of the standard library end in these two.
void operator delete(void* block) noexcept { WipeAndFree(block); }
void operator delete(void* block, std::size_t size) noexcept { WipeAndFree(block, size); }
#endif

namespace requestrouter::secrets {

void KeepMemoryPrivate() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef REQUESTROUTER_SANITIZED
  prctl(PR_SET_DUMPABLE, 0);
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, std::malloc, WipeAndFree, WipingRealloc, strdup,
                       std::calloc);
#endif
}

}  // namespace requestrouter::secrets
