#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace requestrouter::upstream {

// Splits a stream of server-sent events into events, however it is cut into chunks
// (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream).
// Comments, `id` and `retry` are passed over. Linear in the size of the stream.
class SseParser {
 public:
  struct Event {
    std::string name;  // empty where the provider gives none
    std::string data;  // the `data` lines, joined by line feeds
  };

  // An event larger than this is not one: failed() becomes true and nothing more comes out.
  explicit SseParser(std::size_t most_bytes = 16u << 20) : most_bytes_(most_bytes) {}

  // The events that the chunk completes, in order.
  std::vector<Event> Feed(std::string_view chunk);

  bool failed() const { return failed_; }

 private:
  void EndLine(std::vector<Event>& events);
  void Field(std::string_view name, std::string_view value);

  const std::size_t most_bytes_;
  std::string line_;
  Event event_;
  bool has_data_ = false;
  bool after_cr_ = false;   // a line feed that follows belongs to the line's end before it
  bool first_line_ = true;  // may begin with a byte order mark
  bool failed_ = false;
};

}  // namespace requestrouter::upstream
