#include <algorithm>
#include <array>

#include "daemon/upstream/anthropic_encode.h"
#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/image.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

constexpr std::size_t kMaxCallIdBytes = 64;

Value TextBlock(std::string_view text) {
  return Value::object({{"type", "text"}, {"text", std::string(text)}});
}

Value CallBlock(const ipc::ToolCall& call) {
  return Value::object({{"type", "tool_use"},
                        {"id", PortableCallId(call.id, kMaxCallIdBytes)},
                        {"name", call.name},
                        {"input", ArgumentsObject(call)}});
}

bool IsImageType(std::string_view mime_type) {
  constexpr std::array<std::string_view, 4> kTypes = {"image/jpeg", "image/png", "image/gif",
                                                      "image/webp"};
  return std::find(kTypes.begin(), kTypes.end(), mime_type) != kTypes.end();
}

tl::expected<Value, std::string> ImageBlock(const ipc::ImagePart& part) {
  const auto image = ResolveImage(part);
  if (!image) return Refuse(image.error());
  Value block = Value::object({{"type", "image"}});
  Value& source = block["source"];
  if (!image->url.empty()) {
    source["type"] = "url";
    source["url"] = image->url;
    return block;
  }
  if (!IsImageType(image->mime_type)) {
    return Refuse("image.mime_type: must be image/jpeg, image/png, image/gif or image/webp");
  }
  source["type"] = "base64";
  source["media_type"] = image->mime_type;
  source["data"] = image->base64;
  return block;
}

tl::expected<Value, std::string> PartBlocks(const ipc::Message& message) {
  Value blocks = Value::array();
  for (const ipc::Part& part : message.parts) {
    if (const auto* text = std::get_if<ipc::TextPart>(&part)) {
      if (HasVisibleText(text->text)) blocks.push_back(TextBlock(text->text));
      continue;
    }
    auto image = ImageBlock(std::get<ipc::ImagePart>(part));
    if (!image) return image;
    blocks.push_back(*std::move(image));
  }
  return blocks;
}

// The short form that the API has for a single block of text.
Value Simplified(Value content) {
  if (content.size() != 1 || TextMember(content.front(), "type") != "text") return content;
  return std::move(content.front()["text"]);
}

// Replays the order of blocks that the state has: {"text": bytes} and {"tool_use": 1} stand for
// what the message itself holds, anything else is a block to be sent as it is. Fails where the
// message is not what the state was made with any more.
class LayoutReplay {
 public:
  LayoutReplay(const ipc::Message& message, std::string text)
      : calls_(message.tool_calls), text_(std::move(text)) {}

  bool Run(const Value& layout) {
    for (const Value& entry : layout) {
      if (!Place(entry)) return false;
    }
    return text_begin_ == text_.size() && next_call_ == calls_.size();
  }

  Value TakeBlocks() { return std::move(blocks_); }

 private:
  bool Place(const Value& entry) {
    if (Member(entry, "tool_use") != nullptr) return PlaceCall();
    const Value* text = Member(entry, "text");
    const bool is_length = text != nullptr && text->is_number() && Member(entry, "type") == nullptr;
    if (is_length) return PlaceText(static_cast<std::size_t>(CountMember(entry, "text")));
    blocks_.push_back(entry);
    return entry.is_object();
  }

  bool PlaceCall() {
    if (next_call_ == calls_.size()) return false;
    blocks_.push_back(CallBlock(calls_[next_call_++]));
    return true;
  }

  bool PlaceText(std::size_t bytes) {
    if (bytes > text_.size() - text_begin_) return false;
    const std::string_view text = std::string_view(text_).substr(text_begin_, bytes);
    if (HasVisibleText(text)) blocks_.push_back(TextBlock(text));
    text_begin_ += bytes;
    return true;
  }

  const std::vector<ipc::ToolCall>& calls_;
  const std::string text_;
  std::size_t text_begin_ = 0;
  std::size_t next_call_ = 0;
  Value blocks_ = Value::array();
};

Value AssistantBlocks(const ipc::Message& message) {
  const std::string text = ipc::TextOf(message);
  if (const Value* state = StateOf(message.provider_state, "anthropic")) {
    LayoutReplay replay(message, text);
    if (replay.Run(ItemsOf(*state, "blocks"))) return replay.TakeBlocks();
  }
  Value blocks = Value::array();
  if (HasVisibleText(text)) blocks.push_back(TextBlock(text));
  for (const ipc::ToolCall& call : message.tool_calls) blocks.push_back(CallBlock(call));
  return blocks;
}

class MessagesEncoder {
 public:
  tl::expected<Value, std::string> Run(const std::vector<ipc::Message>& messages) {
    for (const ipc::Message& message : messages) {
      if (auto added = Add(message); !added) return Refuse(added.error());
    }
    if (encoded_.empty()) return Refuse("messages: nothing but empty or system messages");
    for (Value& message : encoded_) message["content"] = Simplified(std::move(message["content"]));
    return std::move(encoded_);
  }

 private:
  tl::expected<void, std::string> Add(const ipc::Message& message) {
    if (message.role == ipc::Role::kSystem) return {};
    if (message.role == ipc::Role::kAssistant) return AddAssistant(message);
    auto blocks = PartBlocks(message);
    if (!blocks) return Refuse(blocks.error());
    if (message.role == ipc::Role::kTool) {
      AddResult(message, *std::move(blocks));
    } else if (!blocks->empty()) {
      AppendAll("user", *std::move(blocks));
    }
    return {};
  }

  tl::expected<void, std::string> AddAssistant(const ipc::Message& message) {
    if (HasImage(message)) {
      return Refuse("messages.content: an assistant message cannot hold an image");
    }
    if (Value blocks = AssistantBlocks(message); !blocks.empty()) {
      AppendAll("assistant", std::move(blocks));
    }
    return {};
  }

  // The content of the message under way, begun anew where the role changes.
  Value& ContentOf(const char* role) {
    if (encoded_.empty() || TextMember(encoded_.back(), "role") != role) {
      encoded_.push_back(Value::object({{"role", role}, {"content", Value::array()}}));
      results_ = 0;
    }
    return encoded_.back()["content"];
  }

  void AppendAll(const char* role, Value blocks) {
    Value& content = ContentOf(role);
    for (Value& block : blocks) content.push_back(std::move(block));
  }

  void AddResult(const ipc::Message& message, Value blocks) {
    Value result = NewObject();
    result["type"] = "tool_result";
    result["tool_use_id"] = PortableCallId(message.tool_call_id, kMaxCallIdBytes);
    if (!blocks.empty()) result["content"] = Simplified(std::move(blocks));
    Value& content = ContentOf("user");
    content.insert(content.begin() + results_++, std::move(result));
  }

  Value encoded_ = Value::array();
  std::ptrdiff_t results_ = 0;  // at the front of the user's message under way
};

}  // namespace

tl::expected<ipc::Value, std::string> AnthropicMessages(const Prompt& prompt) {
  return MessagesEncoder().Run(prompt.messages);
}

}  // namespace requestrouter::upstream
