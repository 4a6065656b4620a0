#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace requestrouter::support {

// What came back, byte by byte as far as it came.
struct HttpResult {
  int status = 0;  // 0: no status line
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;       // without the framing of chunks
  bool complete = false;  // all that was promised came
  bool reset = false;     // the server ended with RST
  bool timed_out = false;

  // Whatever the case of its name; empty where there is none.
  std::string Header(std::string_view name) const;
};

// One request on a connection of its own to 127.0.0.1. Written by hand over a raw socket, because
// tests of misbehaviour need to see what a well-meaning HTTP library hides.
HttpResult Http(std::uint16_t port, std::string_view method, std::string_view path,
                const std::vector<std::pair<std::string, std::string>>& headers = {},
                std::string_view body = {},
                std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace requestrouter::support
