#pragma once

#include <string>

#include <tl/expected.hpp>

#include "ipc/chat.h"

namespace requestrouter::upstream {

// An image as the providers take it: `base64` with its `mime_type`, or the `url` that the provider
// is to fetch, with the `mime_type` where it is known or follows from the address's ending.
struct Image {
  std::string mime_type;
  std::string base64;
  std::string url;
};

// Bytes are encoded; a data: URL (RFC 2397, base64) becomes bytes; any other address must be
// https: or http:. Fails, naming the field.
tl::expected<Image, std::string> ResolveImage(const ipc::ImagePart& part);

}  // namespace requestrouter::upstream
