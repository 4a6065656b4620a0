#include <string>

#include "ipc/codec.h"
#include "ipc/decode_payload.h"
#include "ipc/digest.h"
#include "tests/fuzz/input.h"

// A request's payload, byte by byte as a hostile client sends it. What is accepted means the same
// after another round through the wire; what is not is answered with an error that can be sent.

using namespace requestrouter;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view payload = fuzz::Text(data, size);
  const ipc::DecodedPayload decoded = ipc::DecodePayload(payload, ipc::Limits{});
  if (!decoded.error) static_cast<void>(ipc::Digest(decoded.value));

  const auto request = ipc::DecodeRequest(payload, ipc::Limits{});
  if (!request) {
    const ipc::BadRequest& bad = request.error();
    fuzz::Require(!bad.error.message.empty(), "an error without a message");
    const std::string reply = ipc::EncodeError(bad.id, bad.error);
    fuzz::Require(ipc::DecodeReply(reply, ipc::Limits{}).has_value(), "an error nobody can read");
    return 0;
  }
  const std::string once = ipc::EncodeRequest(*request);
  const auto again = ipc::DecodeRequest(once, ipc::Limits{});
  fuzz::Require(again.has_value(), "an accepted request is refused when sent again");
  fuzz::Require(ipc::EncodeRequest(*again) == once, "a request changes on its way");
  return 0;
}
