#pragma once

#include <memory>
#include <string>

#include "daemon/upstream/dialect.h"
#include "daemon/upstream/sse.h"
#include "tests/fuzz/input.h"

// What a provider answers, read by its dialect in each of the three ways: as a document, as a
// stream of events, as an error.
namespace requestrouter::fuzz {

inline void ReadStream(const upstream::Dialect& dialect, std::string_view stream) {
  upstream::SseParser parser;
  const std::unique_ptr<upstream::StreamDecoder> decoder = dialect.NewStreamDecoder();
  for (const auto& event : parser.Feed(stream)) {
    if (!decoder->OnEvent(event.name, event.data)) break;
  }
  static_cast<void>(decoder->complete());
  static_cast<void>(decoder->error());
  const upstream::Answer answer = decoder->Take();
  Require(answer.tokens.input >= 0 && answer.tokens.output >= 0, "negative tokens");
}

inline void ReadDocument(const upstream::Dialect& dialect, std::string_view body) {
  if (const auto answer = dialect.Decode(body)) {
    Require(answer->tokens.input >= 0 && answer->tokens.output >= 0, "negative tokens");
  } else {
    Require(!answer.error().empty(), "refused without a word");
  }
  const upstream::ProviderError error = dialect.DecodeError(body);
  Require(error.message.size() < 8'192 && error.code.size() <= 128, "an unbounded error");
}

// The first byte: a stream of events (odd) or a document.
inline void ReadAnswer(upstream::ProviderKind kind, const std::uint8_t* data, std::size_t size) {
  Choices choices(data, size);
  const upstream::Dialect& dialect = upstream::DialectOf(kind);
  if (choices.Flip()) {
    ReadStream(dialect, choices.Rest());
  } else {
    ReadDocument(dialect, choices.Rest());
  }
}

}  // namespace requestrouter::fuzz
