#include <variant>

#include "ipc/chat.h"
#include "ipc/codec.h"
#include "tests/fuzz/input.h"

// A reply's payload, as the client library and the store of results read it.

using namespace requestrouter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto reply = ipc::DecodeReply(fuzz::Text(data, size), ipc::Limits{});
  if (!reply) return 0;
  if (const auto* body = std::get_if<ipc::Value>(&reply->outcome)) {
    static_cast<void>(ipc::ChatReplyFromValue(*body));
  }
  fuzz::Require(ipc::DecodeReply(ipc::EncodeReply(*reply), ipc::Limits{}).has_value(),
                "an accepted reply cannot be read again");
  return 0;
}
