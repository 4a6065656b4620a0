#include <sys/mman.h>

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "daemon/secrets/secrets.h"

namespace requestrouter::secrets {
namespace {

// The "VmFlags" line of the mapping that holds an address, from /proc/self/smaps.
std::string FlagsOf(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream range(line);
    if (range >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= wanted && wanted < end;
    }
    if (inside && line.rfind("VmFlags:", 0) == 0) return line + " ";
  }
  return "";
}

TEST(Secrets, AreWhatWasPutIn) {
  EXPECT_EQ(Secret("text").Reveal(), "text");
  EXPECT_EQ(Secret(std::string(100'000, 'x')).Reveal().size(), 100'000u);
  EXPECT_TRUE(Secret().empty());
  EXPECT_TRUE(Secret("").empty());
  EXPECT_EQ(Secret().Reveal(), "");
}

TEST(Secrets, MoveAndLeaveNothingBehind) {
  Secret first("text");
  const char* const data = first.Reveal().data();
  Secret second(std::move(first));
  EXPECT_EQ(second.Reveal().data(), data);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  Secret third("other");
  third = std::move(second);
  EXPECT_EQ(third.Reveal(), "text");
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
  Secret& same = third;
  third = std::move(same);
  EXPECT_EQ(third.Reveal(), "text");
}

TEST(Secrets, StayOutOfSwapAndCoreDumps) {
  const Secret secret("text");
  const std::string flags = FlagsOf(secret.Reveal().data());
  ASSERT_NE(flags, "");
  EXPECT_NE(flags.find(" dd "), std::string::npos) << flags;  // do not dump
  EXPECT_NE(flags.find(" wf "), std::string::npos) << flags;  // wipe on fork
#ifndef REQUESTROUTER_SANITIZED                               // sanitizers turn mlock() off
  EXPECT_NE(flags.find(" lo "), std::string::npos) << flags;  // locked
#endif
}

TEST(Secrets, HavePagesOfTheirOwnThatGoWithThem) {
  const char* gone = nullptr;
  {
    const Secret secret("text");
    gone = secret.Reveal().data();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(gone) % 4096, 0u);
  }
  unsigned char resident = 0;
  EXPECT_NE(::mincore(const_cast<char*>(gone), 1, &resident), 0) << "still mapped";
}

}  // namespace
}  // namespace requestrouter::secrets
