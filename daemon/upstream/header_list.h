#pragma once

#include <string_view>

struct curl_slist;

namespace requestrouter::upstream {

// The header lines of one request, in the form that curl wants. One of them holds the key: the
// memory is overwritten before it is given back. (curl's own copy, in its send buffer, is freed
// without; nothing can be done about that from here.)
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList();
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  // Neither holds a control character.
  void Add(std::string_view name, std::string_view value);
  // What there is already, in upper or lower case, stays.
  void AddDefault(std::string_view name, std::string_view value);
  // Keeps curl from sending a header that it would add by itself.
  void Suppress(std::string_view name);

  curl_slist* get() const { return lines_; }

 private:
  bool Has(std::string_view name) const;
  void Append(const char* line);

  curl_slist* lines_ = nullptr;
  curl_slist* last_ = nullptr;
};

}  // namespace requestrouter::upstream
