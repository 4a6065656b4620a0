#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/upstream/attempt.h"
#include "daemon/upstream/dialect.h"
#include "daemon/upstream/response_headers.h"
#include "daemon/upstream/sse.h"

namespace requestrouter::upstream {

// What a provider sends back to one attempt, as it comes, and what it amounts to in the end. Knows
// nothing of connections and time. Confined to one thread.
//
// How a body is read follows from what came, not only from what was asked:
//   status not 2xx                    an error body, its first 64 KiB
//   2xx, no stream asked              one JSON document
//   2xx, stream asked, JSON or HTML   likewise: servers report errors so under status 200, and some
//                                     do not stream at all
//   2xx, stream asked, anything else  server-sent events; some servers name no content type
class Response {
 public:
  static constexpr std::size_t kMostErrorBytes = 64u << 10;

  using DeltaSink = std::function<void(ipc::ChatDelta)>;

  // `dialect` outlives the response.
  Response(const Dialect& dialect, bool stream, std::size_t most_bytes, DeltaSink on_delta);

  // Both return whether more is wanted; if not, the transfer is to be ended as if it were complete.
  bool TakeHeader(std::string_view line);
  bool TakeBody(std::string_view chunk);

  int status() const { return headers_.status(); }
  bool streamed() const { return streamed_; }  // at least one delta was passed on
  bool enough() const { return enough_; }      // more was refused

  // Whether the provider said that a streamed answer is complete.
  bool complete() const;

  // Fills in everything but the times. `end` is how the transfer ended: kOk (as it should, or this
  // object had enough), kNotSent, kInterrupted, kTimeout, kCancelled or kUnreadable (the bytes
  // could not even be decompressed). Call once, at the end.
  void Conclude(Transport end, Outcome* outcome);

 private:
  bool Enough(std::string why);
  bool IsEventStream() const;
  bool TakeEvents(std::string_view chunk);
  void ConcludeError(Outcome* outcome);
  void ConcludeStream(Transport end, Outcome* outcome);
  void ConcludeDocument(Outcome* outcome);
  void Unreadable(std::string why, Outcome* outcome);

  const Dialect& dialect_;
  const bool stream_;
  const std::size_t most_bytes_;
  const DeltaSink on_delta_;

  ResponseHeaders headers_;
  std::size_t body_bytes_ = 0;
  std::string body_;  // where it is not a stream of events
  SseParser events_;
  std::unique_ptr<StreamDecoder> decoder_;
  bool any_event_ = false;
  bool streamed_ = false;
  bool enough_ = false;
  std::string problem_;  // why the answer cannot be read
};

}  // namespace requestrouter::upstream
