#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/upstream/attempt.h"

namespace requestrouter::config {

struct BaseUrl {
  std::string url;                     // without trailing slashes
  std::optional<std::string> warning;  // it can be used, but perhaps it is not what was meant
};

// Checks a provider's address with libcurl's own parser, because libcurl will use it. Refused:
// other schemes than http and https, a query, a fragment, and user names and passwords, because
// secrets belong in headers. The error says what to change and never shows the URL.
tl::expected<BaseUrl, std::string> CheckBaseUrl(std::string_view text, upstream::ProviderKind kind);

}  // namespace requestrouter::config
