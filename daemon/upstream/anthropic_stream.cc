#include <optional>

#include "daemon/upstream/anthropic_decode.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/provider_error.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

// Goes by the `type` inside of the data, which repeats the event's name. Unknown types are skipped:
// the versioning policy says that new ones may come at any time.
class AnthropicStreamDecoder final : public StreamDecoder {
 public:
  using Deltas = std::vector<ipc::ChatDelta>;

  tl::expected<Deltas, std::string> OnEvent(std::string_view /*event*/,
                                            std::string_view data) override {
    if (data.empty() || error_) return Deltas();
    const auto parsed = ParseJson(data);
    if (!parsed) return Refuse(parsed.error());
    const std::string_view type = TextMember(*parsed, "type");
    error_ = ErrorIn(*parsed);
    if (error_) return Deltas();
    if (type.empty()) return Refuse("an event without a type");
    Deltas deltas;
    Read(type, *parsed, &deltas);
    return deltas;
  }

  const ProviderError* error() const override { return error_ ? &*error_ : nullptr; }
  bool complete() const override { return complete_; }
  Answer Take() override { return assembler_.Take(); }

 private:
  void Read(std::string_view type, const Value& event, Deltas* deltas) {
    if (type == "message_start") {
      ReadStart(event);
    } else if (type == "content_block_start") {
      if (const Value* block = ObjectMember(event, "content_block")) {
        assembler_.BeginBlock(CountMember(event, "index"), *block, deltas);
      }
    } else if (type == "content_block_delta") {
      if (const Value* delta = ObjectMember(event, "delta")) {
        assembler_.AddPiece(CountMember(event, "index"), *delta, deltas);
      }
    } else if (type == "message_delta") {
      ReadMessageDelta(event);
    } else if (type == "message_stop") {
      complete_ = true;
    }
  }

  void ReadStart(const Value& event) {
    const Value* message = ObjectMember(event, "message");
    const Value* usage = message == nullptr ? nullptr : ObjectMember(*message, "usage");
    if (usage != nullptr) assembler_.ReadUsage(*usage, /*final=*/false);
  }

  void ReadMessageDelta(const Value& event) {
    if (const Value* delta = ObjectMember(event, "delta")) assembler_.ReadStop(*delta);
    const Value* usage = ObjectMember(event, "usage");
    if (usage != nullptr) assembler_.ReadUsage(*usage, /*final=*/true);
  }

  AnthropicAssembler assembler_;
  std::optional<ProviderError> error_;
  bool complete_ = false;
};

}  // namespace

std::unique_ptr<StreamDecoder> NewAnthropicStreamDecoder() {
  return std::make_unique<AnthropicStreamDecoder>();
}

}  // namespace requestrouter::upstream
