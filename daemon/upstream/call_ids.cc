#include "daemon/upstream/call_ids.h"

#include <algorithm>
#include <cstdint>

namespace requestrouter::upstream {
namespace {

// 64-bit FNV-1a (Fowler, Noll, Vo): stable over processes and versions, which std::hash is not.
std::uint64_t Fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

bool IsAlphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// `digits` characters of base 36.
std::string Digest(std::string_view bytes, std::size_t digits) {
  std::uint64_t hash = Fnv1a(bytes);
  std::string text;
  for (std::size_t i = 0; i < digits; ++i, hash /= 36) {
    text += "0123456789abcdefghijklmnopqrstuvwxyz"[hash % 36];
  }
  return text;
}

}  // namespace

std::string SyntheticCallId(std::string_view seed, std::size_t index) {
  return "call_" + Digest(seed, 12) + "_" + std::to_string(index);
}

std::string PortableCallId(std::string_view id, std::size_t max_bytes) {
  const bool portable =
      !id.empty() && id.size() <= max_bytes && std::all_of(id.begin(), id.end(), [](char c) {
        return IsAlphanumeric(c) || c == '_' || c == '-';
      });
  if (portable) return std::string(id);
  return "call_" + Digest(id, std::min<std::size_t>(12, max_bytes - 5));
}

std::string MistralCallId(std::string_view id) {
  const bool fits = id.size() == 9 && std::all_of(id.begin(), id.end(), IsAlphanumeric);
  return fits ? std::string(id) : Digest(id, 9);
}

const std::string* CalledFunction(const std::vector<ipc::Message>& messages, std::size_t end,
                                  std::string_view id) {
  for (std::size_t i = std::min(end, messages.size()); i-- > 0;) {
    for (const ipc::ToolCall& call : messages[i].tool_calls) {
      if (call.id == id) return &call.name;
    }
  }
  return nullptr;
}

}  // namespace requestrouter::upstream
