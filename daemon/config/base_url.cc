#include "daemon/config/base_url.h"

#include <curl/curl.h>

#include <memory>
#include <vector>

#include "daemon/config/suggest.h"

namespace requestrouter::config {
namespace {

using Url = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

// A part of the URL; empty where it is absent.
std::string Part(const Url& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, decltype(&curl_free)> owned(text, &curl_free);
  return owned.get();
}

bool HasPart(const Url& url, CURLUPart part) { return !Part(url, part).empty(); }

bool HasScheme(std::string_view text, std::string_view scheme) {
  return EditDistance(text.substr(0, scheme.size()), scheme) == 0;  // in any case
}

bool HasControlOrSpace(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return true;
  }
  return false;
}

// The one built-in server of OpenAI's kind whose path is empty.
constexpr const char* kBareHost = "api.deepseek.com";

bool IsThisHost(std::string_view host) {
  return host == "localhost" || host.substr(0, 4) == "127." || host == "[::1]";
}

// What the provider's dialect appends by itself, whole and in part, the longest first.
std::vector<std::string_view> AppendedPaths(upstream::ProviderKind kind) {
  switch (kind) {
    case upstream::ProviderKind::kGemini:
      return {"/v1beta/models", "/v1beta"};
    case upstream::ProviderKind::kAnthropic:
      return {"/v1/messages", "/v1"};
    case upstream::ProviderKind::kOpenAi:
      return {"/chat/completions"};
  }
  return {};
}

std::optional<std::string> Doubt(const Url& url, std::string_view text,
                                 upstream::ProviderKind kind) {
  for (const std::string_view appended : AppendedPaths(kind)) {
    if (!text.ends_with(appended)) continue;
    return std::string(appended) + " is appended by itself; remove it from the end";
  }
  if (text.ends_with("/v1/v1")) return "ends in /v1 twice; remove one";
  const bool bare = Part(url, CURLUPART_PATH).size() <= 1;
  if (kind == upstream::ProviderKind::kOpenAi && bare && Part(url, CURLUPART_HOST) != kBareHost) {
    return "has no path; nearly every server of this kind wants /v1 at the end";
  }
  if (Part(url, CURLUPART_SCHEME) == "http" && !IsThisHost(Part(url, CURLUPART_HOST))) {
    return "keys will be sent without encryption; use https unless the network is your own";
  }
  return std::nullopt;
}

}  // namespace

tl::expected<BaseUrl, std::string> CheckBaseUrl(std::string_view text,
                                                upstream::ProviderKind kind) {
  const Url url(curl_url(), &curl_url_cleanup);
  const std::string whole(text);
  if (HasControlOrSpace(text)) {
    return tl::unexpected<std::string>("is not a URL: it holds a space or control character");
  }
  if (!HasScheme(text, "https://") && !HasScheme(text, "http://")) {
    return tl::unexpected<std::string>("must begin with https:// or http://");
  }
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, whole.c_str(), 0);
  if (code != CURLUE_OK) {
    return tl::unexpected<std::string>("is not a URL such as https://api.example.com/v1: " +
                                       std::string(curl_url_strerror(code)));
  }
  if (HasPart(url, CURLUPART_USER) || HasPart(url, CURLUPART_PASSWORD)) {
    return tl::unexpected<std::string>(
        "must not hold a user name or password; secrets are sent in headers");
  }
  if (HasPart(url, CURLUPART_QUERY) || HasPart(url, CURLUPART_FRAGMENT)) {
    return tl::unexpected<std::string>(
        "must not hold '?' or '#': paths are appended to it, and keys are sent in headers");
  }
  while (text.ends_with("/")) text.remove_suffix(1);
  return BaseUrl{std::string(text), Doubt(url, text, kind)};
}

}  // namespace requestrouter::config
