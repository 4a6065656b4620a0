#pragma once

#include "tests/support/sim/dialect.h"

// Gemini's generateContent and streamGenerateContent?alt=sse (v1beta), after
//   https://ai.google.dev/api/generate-content               requests, answers, usageMetadata
//   https://ai.google.dev/gemini-api/docs/thought-signatures  what Gemini 3 insists on
//   https://ai.google.dev/gemini-api/docs/rate-limits         per project; tokens are input tokens
//   https://ai.google.dev/gemini-api/docs/troubleshooting     statuses
// and, for error bodies, google.rpc.Status with its details as users report them (for example
// google-gemini/gemini-cli issues 8437 and RooCodeInc/Roo-Code issue 3883).
namespace requestrouter::sim {

class GeminiDialect final : public Dialect {
 public:
  const char* provider() const override { return "gemini"; }
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

// "models/NAME:METHOD" taken apart.
struct GeminiPath {
  std::string model;
  std::string method;
};
GeminiPath ParseGeminiPath(const std::string& path);

}  // namespace requestrouter::sim
