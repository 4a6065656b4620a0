#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// The frame around an encoded body: address, headers, the caller's own options. Pure.
namespace requestrouter::upstream {

using Headers = std::vector<std::pair<std::string, std::string>>;

// RFC 3986: everything but unreserved characters is encoded, '/' too.
std::string PercentEncode(std::string_view segment);

// An empty object with room for what most parts of a request hold: to grow copies every key.
ipc::Value NewObject();

// Merges provider_options[kind] into `body`: objects member by member, everything else replaced.
// `kind` is "gemini", "openai" or "anthropic". Fails where the options are no map.
tl::expected<void, std::string> MergeProviderOptions(const ipc::Value& provider_options,
                                                     const char* kind, ipc::Value* body);

// `own` headers and then the provider's, which replace own ones of the same name (compared without
// case). Takes `body` apart. Fails for a secret that could break out of its header (RFC 9110: no
// control characters).
tl::expected<HttpRequest, std::string> BuildRequest(const Attempt& attempt, std::string url,
                                                    Headers own, ipc::Value body);

}  // namespace requestrouter::upstream
