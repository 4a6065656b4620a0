#include "storage/conversation_filter.h"

#include <xxhash.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <random>

namespace requestrouter::storage {
namespace {

constexpr std::size_t kBits = std::size_t{1} << 23;
constexpr std::size_t kBitsOfAWord = 64;

struct Bit {
  std::size_t word;
  std::uint64_t mask;
};

std::array<Bit, 2> BitsOf(std::uint64_t seed, std::uint32_t uid, std::string_view conv_id) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(conv_id.data(), conv_id.size(), seed ^ uid);
  const auto bit = [](std::uint64_t part) {
    return Bit{part % kBits / kBitsOfAWord, std::uint64_t{1} << (part % kBitsOfAWord)};
  };
  return {bit(hash.low64), bit(hash.high64)};
}

std::uint64_t RandomSeed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

}  // namespace

void ConversationFilter::Free::operator()(std::uint64_t* words) const { std::free(words); }

// calloc, because memory that nothing was added to then takes no room.
ConversationFilter::ConversationFilter()
    : words_(static_cast<std::uint64_t*>(std::calloc(kBits / kBitsOfAWord, sizeof(std::uint64_t)))),
      seed_(RandomSeed()) {
  if (!words_) throw std::bad_alloc();
}

bool ConversationFilter::MayHold(std::uint32_t uid, std::string_view conv_id) const {
  if (loading_ > 0) return true;
  for (const Bit& bit : BitsOf(seed_, uid, conv_id)) {
    if (!(std::atomic_ref(words_[bit.word]).load() & bit.mask)) return false;
  }
  return true;
}

void ConversationFilter::Add(std::uint32_t uid, std::string_view conv_id) {
  for (const Bit& bit : BitsOf(seed_, uid, conv_id)) {
    std::atomic_ref(words_[bit.word]).fetch_or(bit.mask);
  }
}

}  // namespace requestrouter::storage
