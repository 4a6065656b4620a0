#pragma once

#include "tests/support/sim/dialect.h"

// Anthropic's messages, version 2023-06-01, after
//   https://platform.claude.com/docs/en/api/messages            requests, answers
//   https://platform.claude.com/docs/en/build-with-claude/streaming
//   https://platform.claude.com/docs/en/api/errors              bodies, 529, request_id
//   https://platform.claude.com/docs/en/api/rate-limits         headers; cached reads do not count
// Turns of one role in a row are not refused: the reference says that they are combined. The first
// one must be the user's, and tool results must answer the turn before them.
namespace requestrouter::sim {

class AnthropicDialect final : public Dialect {
 public:
  const char* provider() const override { return "anthropic"; }
  Counts counts() const override { return Counts::kInput; }
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

}  // namespace requestrouter::sim
