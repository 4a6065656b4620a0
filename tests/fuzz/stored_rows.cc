#include <array>
#include <string>

#include "daemon/router/history.h"
#include "daemon/router/replies.h"
#include "ipc/codec.h"
#include "tests/fuzz/input.h"

// What a damaged or foreign database may hold in the columns that this program encodes: a
// message of a conversation, and a result to replay.

using namespace requestrouter;

namespace {

void ReadMessage(fuzz::Choices& choices) {
  constexpr std::array kRoles = {"user", "assistant", "tool", "system", "", "nobody"};
  storage::StoredMessage stored;
  stored.role = kRoles[choices.Byte() % kRoles.size()];
  stored.text = choices.Take(choices.Byte());
  stored.payload = choices.Rest();
  const auto message = router::FromStored(stored);
  if (!message) return;
  const auto again = router::FromStored(router::ToStored(*message, 0));
  fuzz::Require(again.has_value(), "a message that was read cannot be stored");
  fuzz::Require(router::BytesOf(*again) == router::BytesOf(*message), "a message changes");
}

void ReadResult(fuzz::Choices& choices) {
  const std::string reply(choices.Rest());
  const std::string replayed = router::AsReplayed(reply);
  if (ipc::DecodeReply(reply, ipc::Limits{SIZE_MAX, 64})) {
    fuzz::Require(ipc::DecodeReply(replayed, ipc::Limits{SIZE_MAX, 66}).has_value(),
                  "a stored result cannot be read when replayed");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices(data, size);
  if (choices.Flip()) {
    ReadMessage(choices);
  } else {
    ReadResult(choices);
  }
  return 0;
}
