#include <gtest/gtest.h>

#include <random>

#include "golden_messages.h"

namespace requestrouter::ipc {
namespace {

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const GoldenRequest& golden : GoldenRequests()) {
    seeds.push_back(EncodeRequest(golden.request));
  }
  for (const GoldenReply& golden : GoldenReplies()) seeds.push_back(Encode(golden));
  return seeds;
}

class Mutator {
 public:
  explicit Mutator(std::vector<std::string> seeds) : seeds_(std::move(seeds)) {}

  std::string Next() {
    std::string bytes = seeds_[Below(seeds_.size())];
    for (std::size_t i = 0, n = 1 + Below(4); i < n; ++i) Mutate(bytes);
    return bytes;
  }

 private:
  std::size_t Below(std::size_t bound) { return bound == 0 ? 0 : random_() % bound; }

  void Mutate(std::string& bytes) {
    const std::size_t at = Below(bytes.size());
    switch (Below(6)) {
      case 0:  // flip a bit
        if (!bytes.empty()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << Below(8)));
        return;
      case 1:  // another type's first byte
        if (!bytes.empty()) bytes[at] = static_cast<char>(0xc0 + Below(0x20));
        return;
      case 2:  // cut
        return bytes.resize(at);
      case 3:  // remove some
        bytes.erase(at, Below(8));
        return;
      case 4:  // insert some
        bytes.insert(at, std::string(Below(8), static_cast<char>(Below(256))));
        return;
      default: {  // a piece of another
        const std::string& other = seeds_[Below(seeds_.size())];
        bytes.insert(at, other.substr(Below(other.size()), Below(64)));
      }
    }
  }

  const std::vector<std::string> seeds_;
  std::mt19937 random_{20'260'131};
};

// What every decoding has to keep, whatever came.
void CheckRequest(const std::string& bytes) {
  const auto request = DecodeRequest(bytes, Limits{});
  if (!request) {
    EXPECT_FALSE(request.error().error.message.empty());
    EXPECT_LE(request.error().id.size(), 128u);
    EXPECT_TRUE(DecodeReply(EncodeError(request.error().id, request.error().error), Limits{}));
    return;
  }
  const auto again = DecodeRequest(EncodeRequest(*request), Limits{});
  ASSERT_TRUE(again) << again.error().error.message;
  EXPECT_EQ(EncodeRequest(*again), EncodeRequest(*request));
}

void CheckReply(const std::string& bytes) {
  const auto reply = DecodeReply(bytes, Limits{});
  if (!reply) return;
  const auto* body = std::get_if<Value>(&reply->outcome);
  if (body) static_cast<void>(ChatReplyFromValue(*body));
  EXPECT_TRUE(DecodeReply(EncodeReply(*reply), Limits{}));
}

TEST(Mutations, AHundredThousandOfTheGoldenMessagesAreDecodedOrRefused) {
  Mutator mutator(Seeds());
  for (int i = 0; i < 100'000; ++i) {
    const std::string bytes = mutator.Next();
    CheckRequest(bytes);
    CheckReply(bytes);
    if (::testing::Test::HasFailure()) FAIL() << "mutation " << i;
  }
}

}  // namespace
}  // namespace requestrouter::ipc
