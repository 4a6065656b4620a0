#pragma once

#include <string>
#include <string_view>

namespace requestrouter::upstream {

// RFC 4648 section 4, padded, without line breaks. Written here because none of the libraries that
// this target links has it, and it is all that is needed of it.
std::string Base64(std::string_view bytes);

}  // namespace requestrouter::upstream
