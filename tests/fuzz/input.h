#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// What the fuzz targets share.
namespace requestrouter::fuzz {

inline std::string_view Text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, which is how libFuzzer learns that something is wrong.
inline void Require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Cuts an input into a head of numbers and a rest of bytes, for targets that need decisions beside
// their text. A spent input yields zeros.
class Choices {
 public:
  Choices(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::uint8_t Byte() {
    if (size_ == 0) return 0;
    --size_;
    return *data_++;
  }
  std::size_t Below(std::size_t bound) {
    const std::size_t number = static_cast<std::size_t>(Byte()) << 8 | Byte();
    return bound == 0 ? 0 : number % bound;
  }
  bool Flip() { return (Byte() & 1) != 0; }
  bool spent() const { return size_ == 0; }
  std::string_view Take(std::size_t most) {
    const std::size_t taken = most < size_ ? most : size_;
    const std::string_view text = Text(data_, taken);
    data_ += taken;
    size_ -= taken;
    return text;
  }
  std::string_view Rest() { return Take(size_); }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

}  // namespace requestrouter::fuzz
