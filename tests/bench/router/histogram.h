#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace requestrouter::bench {

// Counts of durations in nanoseconds with a relative error under 1/64, in fixed memory whatever
// their number and size: buckets double in width every 64, as in HdrHistogram.
class Histogram {
 public:
  void Add(std::int64_t nanoseconds) {
    ++counts_[Index(nanoseconds < 0 ? 0 : static_cast<std::uint64_t>(nanoseconds))];
    ++total_;
  }
  std::int64_t total() const { return total_; }

  // Calls `visit(lower end of a bucket in ns, count)` for each that is not empty, in order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] != 0) visit(LowerEnd(i), counts_[i]);
    }
  }

  static std::size_t Index(std::uint64_t value) {
    if (value < 2 * kHalf) return value;
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - kBits;
    return shift * kHalf + (value >> shift);
  }
  static std::uint64_t LowerEnd(std::size_t index) {
    if (index < 2 * kHalf) return index;
    const std::size_t shift = index / kHalf - 1;
    return (index - shift * kHalf) << shift;
  }

 private:
  static constexpr unsigned kBits = 7;
  static constexpr std::uint64_t kHalf = 1U << (kBits - 1);
  std::array<std::int64_t, (64 - kBits + 2) * kHalf> counts_{};
  std::int64_t total_ = 0;
};

}  // namespace requestrouter::bench
