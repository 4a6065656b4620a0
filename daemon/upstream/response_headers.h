#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace requestrouter::upstream {

// The head of an HTTP response, line by line: the status, the content type and the headers that say
// something of quotas and retries. Bounded: a hostile server can make it neither large nor endless.
class ResponseHeaders {
 public:
  using List = std::vector<std::pair<std::string, std::string>>;

  static constexpr std::size_t kMostKept = 64;
  static constexpr std::size_t kMostValueBytes = 512;
  static constexpr std::size_t kMostBytes = 256u << 10;

  // A line as curl hands it over, line end included. A status line begins anew: interim responses
  // (100, 103) come before the one that counts. False: there are too many.
  bool Take(std::string_view line);

  int status() const { return status_; }  // 0: none yet
  bool success() const { return status_ >= 200 && status_ < 300; }
  const std::string& content_type() const { return content_type_; }  // in lower case
  List TakeKept() { return std::move(kept_); }

 private:
  void Begin(std::string_view status_line);
  void Keep(std::string name, std::string_view value);

  int status_ = 0;
  std::size_t bytes_ = 0;
  std::string content_type_;
  List kept_;
};

}  // namespace requestrouter::upstream
