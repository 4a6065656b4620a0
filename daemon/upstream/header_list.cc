#include "daemon/upstream/header_list.h"

#include <curl/curl.h>
#include <string.h>

#include <new>
#include <string>

namespace requestrouter::upstream {

HeaderList::~HeaderList() {
  for (curl_slist* line = lines_; line; line = line->next) {
    explicit_bzero(line->data, strlen(line->data));
  }
  curl_slist_free_all(lines_);
}

void HeaderList::Add(std::string_view name, std::string_view value) {
  std::string line;
  line.reserve(name.size() + value.size() + 3);  // growing would leave copies behind
  line.append(name);
  // To curl "name:" means: do not send that header; an empty one ends with a semicolon.
  if (value.empty()) {
    line += ';';
  } else {
    line.append(": ").append(value);
  }
  Append(line.c_str());
  explicit_bzero(line.data(), line.size());
}

void HeaderList::AddDefault(std::string_view name, std::string_view value) {
  if (!Has(name)) Add(name, value);
}

bool HeaderList::Has(std::string_view name) const {
  const curl_slist* line = lines_;
  while (line && !(curl_strnequal(line->data, name.data(), name.size()) != 0 &&
                   (line->data[name.size()] == ':' || line->data[name.size()] == ';'))) {
    line = line->next;
  }
  return line != nullptr;
}

void HeaderList::Suppress(std::string_view name) { Append((std::string(name) + ":").c_str()); }

// curl_slist_append walks to the end of the list: appending to its last element does not.
void HeaderList::Append(const char* line) {
  curl_slist* added = curl_slist_append(last_, line);
  if (!added) throw std::bad_alloc();
  if (!lines_) {
    lines_ = last_ = added;
  } else {
    last_ = last_->next;
  }
}

}  // namespace requestrouter::upstream
