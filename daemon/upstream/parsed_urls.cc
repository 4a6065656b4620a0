#include "daemon/upstream/parsed_urls.h"

#include <cstddef>

namespace requestrouter::upstream {
namespace {

constexpr std::size_t kMost = 256;  // then all are forgotten

std::shared_ptr<CURLU> Parse(const std::string& url) {
  std::shared_ptr<CURLU> parsed(curl_url(), &curl_url_cleanup);
  const bool is_read = parsed && curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(),
                                              CURLU_PATH_AS_IS) == CURLUE_OK;
  return is_read ? parsed : nullptr;
}

}  // namespace

std::shared_ptr<CURLU> ParsedUrls::Of(const std::string& url) {
  const auto known = known_.find(url);
  if (known != known_.end()) return known->second;
  if (known_.size() == kMost) known_.clear();
  auto parsed = Parse(url);
  if (parsed) known_.emplace(url, parsed);
  return parsed;
}

}  // namespace requestrouter::upstream
