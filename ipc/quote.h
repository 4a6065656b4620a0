#pragma once

#include <string>
#include <string_view>

// What a caller sent, quoted in an error message: short, printable and valid UTF-8 whatever it was.
namespace requestrouter::ipc {

// At most 64 bytes of `text`, control characters and invalid UTF-8 escaped or replaced.
std::string Excerpt(std::string_view text);

// The same in double quotes.
std::string Quoted(std::string_view text);

}  // namespace requestrouter::ipc
