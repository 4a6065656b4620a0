#pragma once

#include "tests/support/sim/dialect.h"

// OpenAI's chat completions, after
//   https://platform.openai.com/docs/api-reference/chat        requests, answers, chunks
//   https://platform.openai.com/docs/guides/rate-limits        headers; max_tokens counts
//   https://platform.openai.com/docs/guides/error-codes
// and error bodies as users report them (for example openai/codex issue 10060).
namespace requestrouter::sim {

class OpenAiDialect final : public Dialect {
 public:
  const char* provider() const override { return "openai"; }
  Counts counts() const override { return Counts::kInputAndMaxOutput; }
  std::string SecretOf(const HttpRequest& request) const override;
  tl::expected<Asked, HttpResponse> Read(const HttpRequest& request) const override;
  HttpResponse Answer(const Asked& asked, const Said& said) const override;
  std::vector<std::string> Events(const Asked& asked, const Said& said) const override;
  std::string ErrorEvent() const override;
  HttpResponse BadRequest(const std::string& message) const override;
  HttpResponse MissingKey() const override;
  HttpResponse InvalidKey() const override;
  HttpResponse NoCredit() const override;
  HttpResponse UnknownModel(const std::string& model) const override;
  HttpResponse RateLimited(const Refusal& refusal, const std::string& model) const override;
  HttpResponse ServerError(int status) const override;
  Headers QuotaHeaders(const std::vector<Quota::State>& states) const override;
};

// An error of the request itself; empty strings become null.
HttpResponse OpenAiBadRequest(const std::string& message, const std::string& param,
                              const std::string& code);

}  // namespace requestrouter::sim
