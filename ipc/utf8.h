#pragma once

#include <string>
#include <string_view>

// UTF-8 as RFC 3629 defines it. Written here because no library in use offers it on its own:
// msgpack-c does not check, and nlohmann-json only while it dumps.
namespace requestrouter::ipc {

bool IsUtf8(std::string_view text);

// Each byte that does not belong to a valid sequence becomes U+FFFD.
std::string ReplaceInvalidUtf8(std::string_view text);

}  // namespace requestrouter::ipc
