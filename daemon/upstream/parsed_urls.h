#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <unordered_map>

namespace requestrouter::upstream {

// Addresses in curl's parsed form, each parsed once: to parse one, and to write it out again, takes
// curl a tenth of all that a request costs it. There are few, an address being a provider's and a
// model's. Confined to one thread.
class ParsedUrls {
 public:
  // As it was written: nothing in its path is simplified. Null: curl cannot read it, or has no
  // memory. Not to be changed.
  std::shared_ptr<CURLU> Of(const std::string& url);

 private:
  std::unordered_map<std::string, std::shared_ptr<CURLU>> known_;
};

}  // namespace requestrouter::upstream
