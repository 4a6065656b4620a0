#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/upstream/attempt.h"

namespace requestrouter::upstream {

// An HTTP POST, complete but for the connection.
struct HttpRequest {
  std::string url;                                           // never holds a secret
  std::vector<std::pair<std::string, std::string>> headers;  // the key is in one of them
  std::string body;
};

// Turns the events of one streamed answer into deltas and, at the end, the answer.
class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;

  // One server-sent event. Returns the deltas to pass on, or what is wrong with the event.
  // `event` is empty where the provider names none.
  virtual tl::expected<std::vector<ipc::ChatDelta>, std::string> OnEvent(std::string_view event,
                                                                         std::string_view data) = 0;

  // An error that the provider reported in mid-stream, or nullptr.
  virtual const ProviderError* error() const = 0;

  // Whether the provider said that the answer is complete.
  virtual bool complete() const = 0;

  // What has been said so far, assembled. Call once, at the end.
  virtual Answer Take() = 0;
};

// One provider's encoding: pure, stateless, shared by all threads.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // Fails, naming the field, for a prompt that this provider cannot be asked.
  virtual tl::expected<HttpRequest, std::string> Encode(const Attempt& attempt) const = 0;

  // The body of a 2xx response. Fails for what is not the provider's format, and for an error that
  // was sent under such a status (OpenRouter does): DecodeError reads it then, and is readable.
  virtual tl::expected<Answer, std::string> Decode(std::string_view body) const = 0;

  virtual std::unique_ptr<StreamDecoder> NewStreamDecoder() const = 0;

  // The body of any other response; never fails (see ProviderError::readable).
  virtual ProviderError DecodeError(std::string_view body) const = 0;
};

const Dialect& DialectOf(ProviderKind kind);

}  // namespace requestrouter::upstream
