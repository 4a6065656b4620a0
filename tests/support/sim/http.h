#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// HTTP as values, so that everything but server.cc can be tested without sockets.
namespace requestrouter::sim {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string path;   // without the query
  std::string query;  // without the question mark
  Headers headers;
  std::string body;

  // The value of a header, whatever the case of its name; empty where there is none.
  std::string_view Header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  Headers headers;  // beside Content-Type: application/json, unless one is given here
  std::string body;
};

}  // namespace requestrouter::sim
