#include "daemon/config/loopback_address.h"

#include <gtest/gtest.h>

namespace requestrouter::config {
namespace {

TEST(LoopbackAddress, IsWhatOnlyThisHostCanReach) {
  EXPECT_EQ(LoopbackAddress("127.0.0.1:9464"), "127.0.0.1:9464");
  EXPECT_EQ(LoopbackAddress("127.255.0.9:0"), "127.255.0.9:0");
  EXPECT_EQ(LoopbackAddress("[::1]:65535"), "[::1]:65535");
  EXPECT_EQ(LoopbackAddress("localhost:80"), "127.0.0.1:80");
}

TEST(LoopbackAddress, IsNotOneThatOthersReachOrThatIsNone) {
  for (const char* text : {"",
                           ":",
                           "9464",
                           ":9464",
                           "0.0.0.0:1",
                           "128.0.0.1:1",
                           "126.255.255.255:1",
                           "[::]:1",
                           "::1:1",
                           "[::1]",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:80x",
                           "127.0.0.1: 80",
                           "127.1:80",
                           "127.0.0.1:80,0.0.0.0:80",
                           "localhost",
                           "example.com:80",
                           "[::1]:1,80",
                           "127.0.0.1:80s"}) {
    const auto address = LoopbackAddress(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error(),
              "must be a loopback address and a port, such as \"127.0.0.1:9464\" or"
              " \"[::1]:9464\", because metrics are served to whoever can connect; is \"" +
                  std::string(text) + "\"");
  }
}

}  // namespace
}  // namespace requestrouter::config
