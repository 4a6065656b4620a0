#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/upstream/dialect.h"

// Anthropic's Message and its stream events, after platform.claude.com/docs/en/api/messages and
// …/build-with-claude/streaming as published in November 2026. Pure.
namespace requestrouter::upstream {

// The content blocks of an answer, in order, as they come. Blocks of kinds that are not known here
// (a server's own tools) are skipped.
class AnthropicAssembler {
 public:
  using Deltas = std::vector<ipc::ChatDelta>;

  // `block` as it was when it began. The index numbers the blocks of the answer.
  void BeginBlock(std::int64_t index, const ipc::Value& block, Deltas* deltas);
  // A piece of the block that was begun last; `delta` is a content_block_delta's.
  void AddPiece(std::int64_t index, const ipc::Value& delta, Deltas* deltas);

  // The answer's `usage`; later figures replace earlier ones, name by name. `final`: they are those
  // of the finished answer.
  void ReadUsage(const ipc::Value& usage, bool final);
  // `message` holds stop_reason and what goes with it.
  void ReadStop(const ipc::Value& message);

  Answer Take();

 private:
  enum class Kind { kText, kThinking, kRedactedThinking, kToolUse, kOther };
  struct Block {
    std::int64_t index = 0;
    Kind kind = Kind::kOther;
    std::size_t text_bytes = 0;  // kText
    ipc::Value value;            // kThinking, kRedactedThinking: to be sent back as it is
    std::string thinking;        // kThinking; joined into `value` at the end
    std::string signature;
  };

  Block* Current(std::int64_t index);
  void AddText(Block* block, std::string_view text, Deltas* deltas);
  void AddThinking(Block* block, std::string_view text, Deltas* deltas);
  void BeginCall(const ipc::Value& block, Deltas* deltas);
  void AddArguments(std::string_view json, Deltas* deltas);
  ipc::Value State();

  Answer answer_;
  std::vector<Block> blocks_;
  ipc::Value usage_ = ipc::Value::object();
};

// Notes:
//  - Usage: input_tokens leaves out what was read from and written to the cache; here it is input.
//  - stop_reason refusal is a block; model_context_window_exceeded is a length.
//  - Where there was thinking, the answer's state lists the order of the blocks and holds those of
//    thinking with their signatures (see AnthropicMessages).
tl::expected<Answer, std::string> DecodeAnthropic(std::string_view body);

// Complete at message_stop.
std::unique_ptr<StreamDecoder> NewAnthropicStreamDecoder();

}  // namespace requestrouter::upstream
