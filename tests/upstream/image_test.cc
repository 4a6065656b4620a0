#include "daemon/upstream/image.h"

#include <gtest/gtest.h>

#include "daemon/upstream/base64.h"

namespace requestrouter::upstream {
namespace {

TEST(Base64, PadsAsTheStandardsOwnExamplesDo) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foo"), "Zm9v");
  EXPECT_EQ(Base64("foob"), "Zm9vYg==");
  EXPECT_EQ(Base64("\xff\xfe\xfd"), "//79");
}

TEST(Image, BytesAreEncoded) {
  const auto image = ResolveImage({"image/PNG", "foo", ""});
  ASSERT_TRUE(image);
  EXPECT_EQ(image->mime_type, "image/png");
  EXPECT_EQ(image->base64, "Zm9v");
  EXPECT_EQ(image->url, "");
}

TEST(Image, ADataUrlIsBytes) {
  const auto image = ResolveImage({"", "", "data:image/gif;base64,Zm9v"});
  ASSERT_TRUE(image);
  EXPECT_EQ(image->mime_type, "image/gif");
  EXPECT_EQ(image->base64, "Zm9v");
}

TEST(Image, TheTypeBehindAnAddressFollowsFromItsEnding) {
  EXPECT_EQ(ResolveImage({"", "", "https://a.test/x.JPG?y=.png"})->mime_type, "image/jpeg");
  EXPECT_EQ(ResolveImage({"image/webp", "", "https://a.test/x.png"})->mime_type, "image/webp");
  EXPECT_EQ(ResolveImage({"", "", "https://a.test/x"})->mime_type, "");
}

TEST(Image, WhatNoProviderCanTakeIsRefusedByField) {
  EXPECT_EQ(ResolveImage({"", "foo", ""}).error().rfind("image.mime_type", 0), 0u);
  EXPECT_EQ(ResolveImage({"image/png", "", ""}).error().rfind("image.data", 0), 0u);
  for (const char* url : {"file:///etc/passwd", "gs://bucket/x.png", "data:image/png,abc",
                          "data:text/plain;base64,Zm9v", "x"}) {
    EXPECT_EQ(ResolveImage({"", "", url}).error().rfind("image.url", 0), 0u) << url;
  }
}

}  // namespace
}  // namespace requestrouter::upstream
