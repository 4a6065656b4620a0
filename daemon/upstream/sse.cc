#include "daemon/upstream/sse.h"

namespace requestrouter::upstream {

std::vector<SseParser::Event> SseParser::Feed(std::string_view chunk) {
  std::vector<Event> events;
  while (!chunk.empty() && !failed_) {
    if (after_cr_ && chunk.front() == '\n') chunk.remove_prefix(1);
    after_cr_ = false;
    const std::size_t end = chunk.find_first_of("\r\n");
    line_ += chunk.substr(0, end);
    if (line_.size() + event_.data.size() > most_bytes_) failed_ = true;
    if (end == std::string_view::npos || failed_) break;
    after_cr_ = chunk[end] == '\r';
    chunk.remove_prefix(end + 1);
    EndLine(events);
  }
  return events;
}

void SseParser::EndLine(std::vector<Event>& events) {
  std::string_view line = line_;
  if (first_line_ && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
  first_line_ = false;
  if (line.empty()) {
    if (has_data_) events.push_back(std::move(event_));
    event_ = Event();
    has_data_ = false;
  } else if (line.front() != ':') {
    const std::size_t colon = line.find(':');
    std::string_view value = colon == std::string_view::npos ? "" : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    Field(line.substr(0, colon), value);
  }
  line_.clear();
}

void SseParser::Field(std::string_view name, std::string_view value) {
  if (name == "event") {
    event_.name = value;
  } else if (name == "data") {
    if (has_data_) event_.data += '\n';
    event_.data += value;
    has_data_ = true;
  }
}

}  // namespace requestrouter::upstream
