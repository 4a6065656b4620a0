#include "ipc/quote.h"

#include <algorithm>

#include "ipc/utf8.h"
#include "ipc/value.h"

namespace requestrouter::ipc {
namespace {

constexpr std::size_t kMostBytes = 64;

// Whether `byte` continues a UTF-8 sequence, so that no cut is made in front of it.
bool Continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

}  // namespace

std::string Quoted(std::string_view text) {
  std::size_t size = std::min(text.size(), kMostBytes);
  while (size > 0 && size < text.size() && Continues(text[size])) --size;
  std::string shown = ReplaceInvalidUtf8(text.substr(0, size));
  if (size < text.size()) shown += "...";
  return Value(shown).dump();
}

std::string Excerpt(std::string_view text) {
  const std::string quoted = Quoted(text);
  return quoted.substr(1, quoted.size() - 2);
}

}  // namespace requestrouter::ipc
