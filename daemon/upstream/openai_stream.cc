#include <optional>

#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/openai_decode.h"
#include "daemon/upstream/prompt.h"

namespace requestrouter::upstream {
namespace {

class OpenAiStreamDecoder final : public StreamDecoder {
 public:
  using Deltas = std::vector<ipc::ChatDelta>;

  tl::expected<Deltas, std::string> OnEvent(std::string_view /*event*/,
                                            std::string_view data) override {
    if (data.empty() || error_) return Deltas();
    if (data == "[DONE]") {
      done_ = true;
      return Deltas();
    }
    const auto chunk = ParseJson(data);
    if (!chunk) return Refuse(chunk.error());
    error_ = ErrorInChunk(*chunk);
    if (error_) return Deltas();
    return assembler_.Add(*chunk, "delta");
  }

  const ProviderError* error() const override { return error_ ? &*error_ : nullptr; }

  bool complete() const override {
    return assembler_.finished() || (done_ && assembler_.has_choice());
  }

  Answer Take() override { return assembler_.Take(); }

 private:
  OpenAiAssembler assembler_;
  std::optional<ProviderError> error_;
  bool done_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> NewOpenAiStreamDecoder() {
  return std::make_unique<OpenAiStreamDecoder>();
}

}  // namespace requestrouter::upstream
