#include "client_lib/src/base64.h"

#include <utility>

#include <gtest/gtest.h>

namespace requestrouter::client {
namespace {

std::vector<std::uint8_t> Bytes(std::string_view text) { return {text.begin(), text.end()}; }

// The vectors of RFC 4648, section 10.
const std::pair<const char*, const char*> kVectors[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};

TEST(Base64, EncodesTheVectorsOfTheRfc) {
  for (const auto& [plain, encoded] : kVectors) EXPECT_EQ(EncodeBase64(Bytes(plain)), encoded);
}

TEST(Base64, DecodesTheVectorsOfTheRfc) {
  for (const auto& [plain, encoded] : kVectors) EXPECT_EQ(DecodeBase64(encoded), Bytes(plain));
}

TEST(Base64, RefusesWhatIsNotCanonical) {
  for (const char* text : {"Zg", "Zg=", "Zg=a", "Z===", "====", "Zh==", "Zm9=", "Zm 9", "Zm-_"}) {
    EXPECT_EQ(DecodeBase64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace requestrouter::client
