#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ipc/codec.h"
#include "ipc/error.h"
#include "ipc/value.h"

namespace requestrouter::ipc {

// What came out of one payload.
struct DecodedPayload {
  // The top-level `id`, where it is a str of 1 to 128 bytes of UTF-8; also where something else
  // in the payload is wrong, so that the answer finds its caller. Empty for a payload that is not
  // one whole MessagePack value. Where it comes twice, the first.
  std::string id;
  Value value;                 // null with an error
  std::optional<Error> error;  // the first mistake, named by its path ("body.metadata.x")
};

// Decodes one MessagePack value that fills all of `bytes`.
//
// kPayloadTooLarge, with details.limit: more bytes than limits.payload_bytes, or more elements than
// bounds::kElements in all containers together.
// kInvalidRequest: not MessagePack, bytes after its end, nesting deeper than limits.nesting (the
// outermost container is level 1), a map key that is no str or comes twice in its map, invalid
// UTF-8 in a str, a number that is not finite, an extension type.
//
// Time is linear in the size and memory within a small multiple of it, whatever the bytes say.
DecodedPayload DecodePayload(std::string_view bytes, const Limits& limits);

}  // namespace requestrouter::ipc
