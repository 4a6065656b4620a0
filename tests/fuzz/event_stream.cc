#include <vector>

#include "daemon/upstream/sse.h"
#include "tests/fuzz/input.h"

// A stream of server-sent events means the same however the network cuts it.

using namespace requestrouter;
using upstream::SseParser;

namespace {

constexpr std::size_t kMostBytes = 1'000;

void Add(std::vector<SseParser::Event> events, std::vector<SseParser::Event>* all) {
  for (SseParser::Event& event : events) all->push_back(std::move(event));
}

bool Same(const std::vector<SseParser::Event>& a, const std::vector<SseParser::Event>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].name != b[i].name || a[i].data != b[i].data) return false;
  }
  return true;
}

}  // namespace

// The first byte is the size of the pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices(data, size);
  const std::size_t piece = 1 + choices.Byte();
  const std::string_view stream = choices.Rest();
  SseParser whole(kMostBytes);
  SseParser pieces(kMostBytes);
  std::vector<SseParser::Event> expected;
  std::vector<SseParser::Event> found;
  Add(whole.Feed(stream), &expected);
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    Add(pieces.Feed(stream.substr(at, piece)), &found);
  }
  fuzz::Require(whole.failed() == pieces.failed(), "a cut decides whether a stream fails");
  fuzz::Require(Same(expected, found), "a cut changes the events");
  return 0;
}
