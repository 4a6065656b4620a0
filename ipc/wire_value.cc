#include "ipc/wire_value.h"

#include "ipc/decode_payload.h"
#include "ipc/wire_writer.h"

namespace requestrouter::ipc {

tl::expected<Value, std::string> DecodeValue(std::string_view bytes, const Limits& limits) {
  DecodedPayload decoded = DecodePayload(bytes, limits);
  if (decoded.error) return tl::unexpected(std::move(decoded.error->message));
  return std::move(decoded.value);
}

std::string EncodeValue(const Value& value) {
  WireWriter writer;
  writer.Any(value);
  return std::move(writer).Take();
}

}  // namespace requestrouter::ipc
