#pragma once

#include <string>
#include <string_view>

namespace requestrouter::ipc {

// MessagePack as a person reads it: a line for each value, its bytes in hex, indented by nesting,
// and what it means behind a '#'. `comment` comes first. The bytes are valid MessagePack.
std::string DumpWire(std::string_view comment, std::string_view bytes);

// The bytes of such a text: everything behind a '#' and all white space is ignored.
std::string ParseWire(std::string_view text);

}  // namespace requestrouter::ipc
