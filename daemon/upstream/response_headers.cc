#include "daemon/upstream/response_headers.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace requestrouter::upstream {
namespace {

// What a name begins with that is kept:
//   retry-after, retry-after-ms, x-should-retry   RFC 9110; OpenAI, Azure and Anthropic
//   x-ratelimit-…                                 OpenAI and compatible servers
//   anthropic-ratelimit-…                         Anthropic
//   ratelimit…                                    draft-ietf-httpapi-ratelimit-headers
//   request-id, x-request-id                      what the provider's support asks for
constexpr std::array<std::string_view, 7> kKeptPrefixes = {
    "retry-after", "x-should-retry", "x-ratelimit", "anthropic-ratelimit-",
    "ratelimit",   "request-id",     "x-request-id"};

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace

bool ResponseHeaders::Take(std::string_view line) {
  bytes_ += line.size();
  if (bytes_ > kMostBytes) return false;
  if (line.starts_with("HTTP/")) {
    Begin(line);
    return true;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) {
    Keep(Lower(Trim(line.substr(0, colon))), Trim(line.substr(colon + 1)));
  }
  return true;
}

void ResponseHeaders::Begin(std::string_view status_line) {
  kept_.clear();
  content_type_.clear();
  status_ = 0;
  const std::size_t space = status_line.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view code = status_line.substr(space + 1, 3);
  std::from_chars(code.data(), code.data() + code.size(), status_);
}

void ResponseHeaders::Keep(std::string name, std::string_view value) {
  value = value.substr(0, kMostValueBytes);
  if (name == "content-type") content_type_ = Lower(value);
  const bool wanted =
      std::any_of(kKeptPrefixes.begin(), kKeptPrefixes.end(),
                  [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (!wanted || name.size() > kMostValueBytes || kept_.size() >= kMostKept) return;
  kept_.emplace_back(std::move(name), value);
}

}  // namespace requestrouter::upstream
