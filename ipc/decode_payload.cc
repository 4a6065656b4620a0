#include "ipc/decode_payload.h"

#include <msgpack.hpp>

#include "ipc/value_builder.h"

namespace requestrouter::ipc {
namespace {

Error TooLarge(std::size_t bytes, std::size_t limit) {
  return MakeError(ErrorType::kPayloadTooLarge,
                   "the payload has " + std::to_string(bytes) + " bytes; at most " +
                       std::to_string(limit) + " are allowed",
                   {{"limit", limit}});
}

Error Undecodable(const std::string& why) {
  return MakeError(ErrorType::kInvalidRequest, "the payload " + why);
}

}  // namespace

DecodedPayload DecodePayload(std::string_view bytes, const Limits& limits) {
  ValueBuilder builder(limits);
  const bool too_large = bytes.size() > limits.payload_bytes;
  if (too_large) builder.Refuse(TooLarge(bytes.size(), limits.payload_bytes));
  std::size_t offset = 0;
  const bool whole = msgpack::parse(bytes.data(), bytes.size(), offset, builder);
  if (whole && offset < bytes.size()) {
    builder.Refuse(
        Undecodable("has " + std::to_string(bytes.size() - offset) + " bytes after its end"));
  }
  const bool broken = builder.broken();
  DecodedPayload result = std::move(builder).Take();
  if (broken && !too_large) {
    result.value = nullptr;
    result.error = Undecodable(bytes.empty() ? "is empty" : "is not one whole MessagePack value");
  }
  return result;
}

}  // namespace requestrouter::ipc
