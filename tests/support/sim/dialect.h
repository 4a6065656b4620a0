#pragma once

#include <string>
#include <vector>

#include <tl/expected.hpp>

#include "tests/support/sim/chat.h"
#include "tests/support/sim/http.h"
#include "tests/support/sim/limits.h"

namespace requestrouter::sim {

// One provider's way of speaking: what it accepts, and the genuine shapes of its answers and
// errors. Stateless; the headers of the three say which reference they follow.
class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual const char* provider() const = 0;  // "gemini", "openai", "anthropic"
  virtual Counts counts() const = 0;         // what a limit of tokens a minute counts

  // Where the key is expected; empty: not there.
  virtual std::string SecretOf(const HttpRequest& request) const = 0;

  // Fails with the provider's own 400. May throw Json::exception for values of a wrong type, which
  // the caller answers with BadRequest.
  virtual tl::expected<Asked, HttpResponse> Read(const HttpRequest& request) const = 0;

  virtual HttpResponse Answer(const Asked& asked, const Said& said) const = 0;
  // The server-sent events of a streamed answer, each complete.
  virtual std::vector<std::string> Events(const Asked& asked, const Said& said) const = 0;
  // What comes instead of further events when something breaks in mid-stream.
  virtual std::string ErrorEvent() const = 0;

  virtual HttpResponse BadRequest(const std::string& message) const = 0;
  virtual HttpResponse MissingKey() const = 0;
  virtual HttpResponse InvalidKey() const = 0;
  virtual HttpResponse NoCredit() const = 0;
  virtual HttpResponse UnknownModel(const std::string& model) const = 0;
  virtual HttpResponse RateLimited(const Refusal& refusal, const std::string& model) const = 0;
  virtual HttpResponse ServerError(int status) const = 0;
  // What the provider says of its limits with every answer, refusals included.
  virtual Headers QuotaHeaders(const std::vector<Quota::State>& states) const = 0;
};

const Dialect& Gemini();
const Dialect& OpenAi();
const Dialect& Anthropic();

// The dialect that serves a path; nullptr: none.
const Dialect* DialectOf(const std::string& path);

// A response of JSON text.
HttpResponse JsonResponse(int status, const Json& body);

// The state of a limit; nullptr where there is none of that kind.
const Quota::State* StateOf(const std::vector<Quota::State>& states, Limit limit);

}  // namespace requestrouter::sim
