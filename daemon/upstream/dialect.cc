#include "daemon/upstream/dialect.h"

#include <cstdlib>

#include "daemon/upstream/anthropic_decode.h"
#include "daemon/upstream/anthropic_encode.h"
#include "daemon/upstream/gemini_decode.h"
#include "daemon/upstream/gemini_encode.h"
#include "daemon/upstream/openai_decode.h"
#include "daemon/upstream/openai_encode.h"
#include "daemon/upstream/provider_error.h"

namespace requestrouter::upstream {
namespace {

// One provider's functions as an object.
template <auto kEncode, auto kDecode, auto kNewStreamDecoder>
class FunctionDialect final : public Dialect {
 public:
  tl::expected<HttpRequest, std::string> Encode(const Attempt& attempt) const override {
    return kEncode(attempt);
  }
  tl::expected<Answer, std::string> Decode(std::string_view body) const override {
    return kDecode(body);
  }
  std::unique_ptr<StreamDecoder> NewStreamDecoder() const override { return kNewStreamDecoder(); }
  ProviderError DecodeError(std::string_view body) const override {
    return ReadProviderError(body);
  }
};

}  // namespace

const Dialect& DialectOf(ProviderKind kind) {
  static const FunctionDialect<EncodeGemini, DecodeGemini, NewGeminiStreamDecoder> kGemini;
  static const FunctionDialect<EncodeOpenAi, DecodeOpenAi, NewOpenAiStreamDecoder> kOpenAi;
  static const FunctionDialect<EncodeAnthropic, DecodeAnthropic, NewAnthropicStreamDecoder>
      kAnthropic;
  switch (kind) {
    case ProviderKind::kGemini:
      return kGemini;
    case ProviderKind::kOpenAi:
      return kOpenAi;
    case ProviderKind::kAnthropic:
      return kAnthropic;
  }
  std::abort();
}

}  // namespace requestrouter::upstream
