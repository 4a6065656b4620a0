#include <gtest/gtest.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "ipc/bounds.h"
#include "ipc/codec.h"

// Counts what is allocated, in a test program of its own.
namespace {

std::atomic<std::size_t> held{0};
std::atomic<std::size_t> most_held{0};

void* Allocate(std::size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (!memory) std::abort();
  const std::size_t now = held += malloc_usable_size(memory);
  if (now > most_held) most_held = now;
  return memory;
}

void Release(void* memory) noexcept {
  if (memory) held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return Allocate(size); }
void* operator new[](std::size_t size) { return Allocate(size); }
void operator delete(void* memory) noexcept { Release(memory); }
void operator delete[](void* memory) noexcept { Release(memory); }
void operator delete(void* memory, std::size_t) noexcept { Release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { Release(memory); }

namespace requestrouter::ipc {
namespace {

constexpr std::size_t kMegabyte = 1u << 20;

// What decoding held at most, beyond the payload itself.
std::size_t MostHeldFor(const std::string& payload) {
  const std::size_t before = held;
  most_held = before;
  static_cast<void>(DecodeRequest(payload, Limits{}));
  return most_held - before;
}

std::string Header(char kind, std::size_t size) {
  std::string header(1, kind);
  for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(size >> shift);
  return header;
}

std::string ArrayOf(const std::string& element, std::size_t size) {
  std::string array = Header('\xdd', size);
  for (std::size_t i = 0; i < size; ++i) array += element;
  return array;
}

TEST(DecodingMemory, IsSmallForClaimsThatNothingFollows) {
  EXPECT_LT(MostHeldFor(Header('\xdd', 0xffffffff)), kMegabyte);
  EXPECT_LT(MostHeldFor(Header('\xdf', 0xffffffff)), kMegabyte);
  EXPECT_LT(MostHeldFor(Header('\xdb', 0xffffffff)), kMegabyte);
  EXPECT_LT(MostHeldFor(Header('\xc6', 0xffffffff)), kMegabyte);
}

TEST(DecodingMemory, IsSmallForMillionsOfLevels) {
  EXPECT_LT(MostHeldFor(std::string(16 * kMegabyte, '\x91')), kMegabyte);
  EXPECT_LT(MostHeldFor(std::string(16 * kMegabyte, '\x81')), kMegabyte);
}

TEST(DecodingMemory, IsAFewTimesThePayloadForWhateverFillsIt) {
  const std::size_t elements = bounds::kElements - 1;
  const std::size_t bound = 12 * 16 * kMegabyte;
  EXPECT_LT(MostHeldFor(ArrayOf("\xc0", elements)), bound);
  EXPECT_LT(MostHeldFor(ArrayOf("\x90", elements)), bound);
  EXPECT_LT(MostHeldFor(ArrayOf("\x80", elements)), bound);
  EXPECT_LT(MostHeldFor(ArrayOf("\xa1x", elements)), bound);
  EXPECT_LT(MostHeldFor(ArrayOf("\x81\xa0\xa0", elements / 3)), bound);
  EXPECT_LT(MostHeldFor(ArrayOf("\xaf"
                                "0123456789abcde",
                                elements)),
            bound);
}

TEST(DecodingMemory, IsSmallForMoreElementsThanAreTaken) {
  EXPECT_LT(MostHeldFor(ArrayOf("\xc0", 15 * kMegabyte)), kMegabyte);
}

TEST(DecodingMemory, OfALongPromptIsItsLengthAFewTimes) {
  std::string payload =
      "\x84\xa1v\x01\xa2id\xa1r\xa2op\xa4"
      "chat\xa4"
      "body\x81\xa6prompt";
  payload += Header('\xdb', 15 * kMegabyte) + std::string(15 * kMegabyte, 'x');
  ASSERT_TRUE(DecodeRequest(payload, Limits{}));
  EXPECT_LT(MostHeldFor(payload), 4 * 16 * kMegabyte);
}

}  // namespace
}  // namespace requestrouter::ipc
