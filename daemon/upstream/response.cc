#include "daemon/upstream/response.h"

#include <algorithm>
#include <utility>

namespace requestrouter::upstream {
namespace {

bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace

Response::Response(const Dialect& dialect, bool stream, std::size_t most_bytes, DeltaSink on_delta)
    : dialect_(dialect),
      stream_(stream),
      most_bytes_(most_bytes),
      on_delta_(std::move(on_delta)),
      events_(most_bytes) {
  if (stream) decoder_ = dialect.NewStreamDecoder();
}

bool Response::TakeHeader(std::string_view line) {
  if (headers_.Take(line)) return true;
  return Enough("the response's headers are larger than " +
                std::to_string(ResponseHeaders::kMostBytes) + " bytes");
}

bool Response::TakeBody(std::string_view chunk) {
  if (enough_) return false;
  body_bytes_ += chunk.size();
  if (!headers_.success()) {
    body_.append(chunk.substr(0, kMostErrorBytes - body_.size()));
    return body_.size() < kMostErrorBytes || Enough("");
  }
  if (body_bytes_ > most_bytes_) {
    return Enough("the answer is larger than " + std::to_string(most_bytes_) + " bytes");
  }
  if (IsEventStream()) return TakeEvents(chunk);
  body_.append(chunk);
  return true;
}

bool Response::Enough(std::string why) {
  enough_ = true;
  problem_ = std::move(why);
  return false;
}

bool Response::IsEventStream() const {
  const std::string& type = headers_.content_type();
  return stream_ && !Contains(type, "json") && !Contains(type, "html");
}

// As long as no event came, the beginning is kept: it may be an error without a content type.
bool Response::TakeEvents(std::string_view chunk) {
  if (!any_event_) body_.append(chunk.substr(0, kMostErrorBytes - body_.size()));
  for (const SseParser::Event& event : events_.Feed(chunk)) {
    any_event_ = true;
    auto deltas = decoder_->OnEvent(event.name, event.data);
    if (!deltas) return Enough("an event of the stream cannot be read: " + deltas.error());
    for (ipc::ChatDelta& delta : *deltas) {
      streamed_ = true;
      on_delta_(std::move(delta));
    }
  }
  return !events_.failed() || Enough("an event of the stream is too large");
}

bool Response::complete() const {
  return decoder_ && headers_.success() && IsEventStream() && decoder_->complete();
}

void Response::Conclude(Transport end, Outcome* outcome) {
  outcome->transport = end;
  outcome->status = headers_.status();
  outcome->headers = headers_.TakeKept();
  outcome->streamed = streamed_;
  if (headers_.success() && IsEventStream()) {
    ConcludeStream(end, outcome);
  } else if (end == Transport::kCancelled) {
    return;
  } else if (headers_.status() == 0) {
    if (end == Transport::kOk) Unreadable(problem_, outcome);
  } else if (!headers_.success()) {
    ConcludeError(outcome);
  } else if (end == Transport::kOk) {
    ConcludeDocument(outcome);
  }
}

// That the connection was lost amid an error's body does not make the refusal uncertain.
void Response::ConcludeError(Outcome* outcome) {
  outcome->transport = Transport::kOk;
  outcome->error = dialect_.DecodeError(body_);
  outcome->error_message.clear();
}

// An answer that the provider called complete is one, however the connection ended after it.
void Response::ConcludeStream(Transport end, Outcome* outcome) {
  const bool complete = decoder_->complete();
  if (const ProviderError* error = decoder_->error()) outcome->error = *error;
  outcome->answer = decoder_->Take();
  if (end == Transport::kCancelled) return;
  if (outcome->error) {
    outcome->transport = Transport::kInterrupted;
    outcome->error_message = "the provider reported an error in mid-stream";
  } else if (!problem_.empty()) {
    Unreadable(problem_, outcome);
  } else if (complete) {
    outcome->transport = Transport::kOk;
    outcome->error_message.clear();
  } else if (end == Transport::kOk && !any_event_) {
    ConcludeDocument(outcome);
  } else if (end == Transport::kOk) {
    outcome->transport = Transport::kInterrupted;
    outcome->error_message = "the stream ended before the answer was complete";
  }
}

void Response::ConcludeDocument(Outcome* outcome) {
  if (!problem_.empty()) return Unreadable(problem_, outcome);
  auto answer = dialect_.Decode(body_);
  if (answer) {
    outcome->answer = std::move(*answer);
    return;
  }
  Unreadable(answer.error(), outcome);
  ProviderError error = dialect_.DecodeError(body_);
  if (error.readable) outcome->error = std::move(error);
}

void Response::Unreadable(std::string why, Outcome* outcome) {
  outcome->transport = Transport::kUnreadable;
  outcome->error_message = std::move(why);
  if (!headers_.content_type().empty()) {
    outcome->error_message += " (content type " + headers_.content_type() + ")";
  }
}

}  // namespace requestrouter::upstream
