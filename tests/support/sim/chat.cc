#include "tests/support/sim/chat.h"

#include <algorithm>
#include <cstdio>

namespace requestrouter::sim {
namespace {

constexpr std::int64_t kTokensOfAnImage = 258;
constexpr std::size_t kMaxWords = 1000;
// Valid base64 together with the digest behind it, as the providers' signatures are.
constexpr std::string_view kSignaturePrefix = "c2lt";

bool IsInsideCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t space = text.find(' ', begin);
    const std::size_t end = space == std::string::npos ? text.size() : space + 1;
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

}  // namespace

std::int64_t CountTokens(std::size_t bytes) { return static_cast<std::int64_t>((bytes + 3) / 4); }

std::int64_t CountInput(const Asked& asked) {
  std::size_t bytes = asked.system.size() + static_cast<std::size_t>(asked.extra_input_bytes);
  std::int64_t images = 0;
  for (const Turn& turn : asked.turns) {
    bytes += turn.text.size();
    images += static_cast<std::int64_t>(turn.images.size());
  }
  return std::max<std::int64_t>(1, CountTokens(bytes) + images * kTokensOfAnImage);
}

std::string Prefix(const std::string& text, std::size_t bytes) {
  if (bytes >= text.size()) return text;
  while (bytes > 0 && IsInsideCharacter(text[bytes])) --bytes;
  return text.substr(0, bytes);
}

std::vector<std::string> Pieces(const std::string& text, std::size_t count) {
  if (count == 0) {
    std::vector<std::string> words = Words(text);
    if (words.size() <= kMaxWords) return words;
    count = kMaxWords;
  }
  std::vector<std::string> pieces;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= count && begin < text.size(); ++i) {
    std::size_t end = text.size() * i / count;
    while (end < text.size() && IsInsideCharacter(text[end])) ++end;
    if (end > begin) pieces.push_back(text.substr(begin, end - begin));
    begin = std::max(begin, end);
  }
  return pieces;
}

std::string Digest(std::string_view text) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * 1099511628211u;
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

std::string SignatureOf(std::string_view thought) {
  return std::string(kSignaturePrefix) + Digest(thought);
}

bool IsSignature(std::string_view signature) {
  return signature.size() == kSignaturePrefix.size() + 16 &&
         signature.substr(0, kSignaturePrefix.size()) == kSignaturePrefix;
}

std::string CallId(const char* prefix, const Said& said, std::size_t index) {
  char id[64];
  std::snprintf(id, sizeof id, "%s%06llu_%zu", prefix, static_cast<unsigned long long>(said.number),
                index);
  return id;
}

std::size_t Base64Bytes(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  return text.size() * 3 / 4;
}

}  // namespace requestrouter::sim
