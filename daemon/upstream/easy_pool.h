#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace requestrouter::upstream {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

// From 8.7 on, libcurl keeps the head of the last request, the key in it, in a buffer of the handle
// until that is cleaned up (Curl_bufq_reset in lib/bufq.c, as of 8.14.1): such a handle is not
// kept.
constexpr bool MayBeKept(unsigned curl_version) { return curl_version < 0x080700; }

// Easy handles for the next transfers, with the options that are the same for all of them: to set
// those anew cost more than to send the request. A handle that is used again keeps its TLS
// sessions, so that a new connection to the same host resumes one. Confined to one thread.
class EasyPool {
 public:
  // `make` gives a new handle.
  explicit EasyPool(std::function<EasyHandle()> make) : make_(std::move(make)) {}

  EasyHandle Take() {
    if (idle_.empty()) return make_();
    EasyHandle easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  // Not part of a multi handle any more, and pointing to nothing of its last transfer.
  void GiveBack(EasyHandle easy) {
    if (keeps_ && idle_.size() < kMost) idle_.push_back(std::move(easy));
  }

 private:
  static constexpr std::size_t kMost = 64;

  const std::function<EasyHandle()> make_;
  const bool keeps_ = MayBeKept(curl_version_info(CURLVERSION_NOW)->version_num);
  std::vector<EasyHandle> idle_;
};

}  // namespace requestrouter::upstream
