#include "daemon/upstream/request_build.h"

#include <algorithm>

#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"

namespace requestrouter::upstream {
namespace {

bool IsUnreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

// As deep as `overlay` is, which is the caller's bounded nesting.
void MergeInto(ipc::Value* target, const ipc::Value& overlay) {
  if (!overlay.is_object() || !target->is_object()) {
    *target = overlay;
    return;
  }
  for (const auto& [key, value] : overlay.items()) MergeInto(&(*target)[key], value);
}

}  // namespace

std::string PercentEncode(std::string_view segment) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : segment) {
    if (IsUnreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += kHex[byte >> 4];
    encoded += kHex[byte & 0xF];
  }
  return encoded;
}

ipc::Value NewObject() {
  constexpr std::size_t kUsualMembers = 8;
  ipc::Value object(ipc::Value::value_t::object);
  object.get_ref<ipc::Value::object_t&>().reserve(kUsualMembers);
  return object;
}

tl::expected<void, std::string> MergeProviderOptions(const ipc::Value& provider_options,
                                                     const char* kind, ipc::Value* body) {
  const ipc::Value* options = Member(provider_options, kind);
  if (options == nullptr || options->is_null()) return {};
  if (!options->is_object()) {
    return tl::unexpected(std::string("provider_options.") + kind + ": not a map");
  }
  MergeInto(body, *options);
  return {};
}

tl::expected<HttpRequest, std::string> BuildRequest(const Attempt& attempt, std::string url,
                                                    Headers own, ipc::Value body) {
  if (HasControlCharacter(attempt.secret)) {
    return tl::unexpected(std::string("the key's secret holds control characters"));
  }
  HttpRequest request;
  request.url = std::move(url);
  const Headers& extra = attempt.provider->headers;
  request.headers.reserve(own.size() + 2 + extra.size());
  own.emplace_back("content-type", "application/json");
  own.emplace_back("accept", attempt.stream ? "text/event-stream" : "application/json");
  for (auto& header : own) {
    const auto replaces = [&](const auto& other) { return SameName(other.first, header.first); };
    if (std::none_of(extra.begin(), extra.end(), replaces)) {
      request.headers.push_back(std::move(header));
    }
  }
  request.headers.insert(request.headers.end(), extra.begin(), extra.end());
  request.body = DumpJson(body);
  ipc::Dismantle(&body);
  return request;
}

}  // namespace requestrouter::upstream
