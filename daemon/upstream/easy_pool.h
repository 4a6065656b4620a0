#pragma once

#include <curl/curl.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace requestrouter::upstream {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
using EasyHandle = std::unique_ptr<CURL, EasyDeleter>;

// Easy handles for the next transfers. A handle that is reset keeps its TLS sessions, so that a new
// connection to the same host resumes one. Confined to one thread.
class EasyPool {
 public:
  EasyHandle Take() {
    if (idle_.empty()) return EasyHandle(curl_easy_init());
    EasyHandle easy = std::move(idle_.back());
    idle_.pop_back();
    return easy;
  }

  // Not part of a multi handle any more.
  void GiveBack(EasyHandle easy) {
    if (idle_.size() >= kMost) return;
    curl_easy_reset(easy.get());
    idle_.push_back(std::move(easy));
  }

 private:
  static constexpr std::size_t kMost = 64;

  std::vector<EasyHandle> idle_;
};

}  // namespace requestrouter::upstream
