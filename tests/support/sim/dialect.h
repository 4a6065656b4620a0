#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "tests/support/sim/conversation.h"

namespace requestrouter::sim {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
  int status = 200;
  std::string body;
  Headers headers;
};

struct Usage {
  std::int64_t input = 0;
  std::int64_t output = 0;
};

// One provider's way of speaking, genuine in bodies, headers and errors. Shapes follow, as of 2025:
//   Gemini     https://ai.google.dev/api/generate-content, errors as google.rpc.Status
//   OpenAI     https://platform.openai.com/docs/api-reference/chat
//   Anthropic  https://docs.anthropic.com/en/api/messages, /en/api/errors
class Dialect {
 public:
  virtual ~Dialect() = default;
  // `path` is the URL's path and query. Fails with the provider's own 400.
  virtual tl::expected<Asked, Response> Read(const std::string& path, const std::string& body)
      const = 0;
  virtual Response Answer(const Asked& asked, const std::string& text, Usage usage) const = 0;
  // The server-sent events of a streamed answer, in order.
  virtual std::vector<std::string> Stream(const Asked& asked, const std::string& text,
                                          Usage usage) const = 0;
  virtual Response InvalidKey() const = 0;
  virtual Response NoCredit() const = 0;
  // `limit`: rpm, tpm or rpd.
  virtual Response RateLimited(const std::string& limit, const std::string& model,
                               std::chrono::milliseconds retry) const = 0;
  virtual Response ServerError(int status) const = 0;
};

// The dialect of a path; nullptr: nobody's.
const Dialect* DialectOfPath(const std::string& path);

const Dialect& GeminiDialect();
const Dialect& OpenAiDialect();
const Dialect& AnthropicDialect();

// A text in pieces of a word each, as models stream it.
std::vector<std::string> Pieces(const std::string& text);

}  // namespace requestrouter::sim
