#include <algorithm>
#include <string_view>

#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/image.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/openai_encode.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

constexpr std::size_t kMaxCallIdBytes = 40;

constexpr char kAskForJson[] = "Answer with a JSON object.";

bool NamesJson(const ipc::Message& message) {
  constexpr std::string_view kWord = "json";
  const std::string text = ipc::TextOf(message);
  const auto same = [](char a, char b) { return (a | 0x20) == b; };
  return std::search(text.begin(), text.end(), kWord.begin(), kWord.end(), same) != text.end();
}

class MessagesEncoder {
 public:
  explicit MessagesEncoder(const Attempt& attempt)
      : messages_(attempt.prompt->messages),
        model_(attempt.model),
        is_mistral_(attempt.provider->base_url.find("mistral.ai") != std::string::npos),
        wants_object_(attempt.prompt->options.response_format.kind ==
                      ipc::ResponseFormat::Kind::kJsonObject) {}

  tl::expected<Value, std::string> Run() {
    auto system = SystemText(messages_);
    if (!system) return Refuse(system.error());
    if (wants_object_ && std::none_of(messages_.begin(), messages_.end(), NamesJson)) {
      *system += (system->empty() ? "" : "\n\n") + std::string(kAskForJson);
    }
    if (!system->empty()) Append("system", *system);
    const std::size_t before = encoded_.size();
    for (const ipc::Message& message : messages_) {
      if (auto added = Add(message); !added) return Refuse(added.error());
    }
    if (encoded_.size() == before) return Refuse("messages: nothing but system messages");
    return std::move(encoded_);
  }

 private:
  tl::expected<void, std::string> Add(const ipc::Message& message) {
    if (message.role == ipc::Role::kSystem) return {};
    if (message.role == ipc::Role::kUser) return AddUser(message);
    if (HasImage(message)) return Refuse("messages.content: only user messages can hold images");
    if (message.role == ipc::Role::kAssistant) {
      AddAssistant(message);
    } else {
      Append("tool", ipc::TextOf(message))["tool_call_id"] = CallId(message.tool_call_id);
    }
    return {};
  }

  Value& Append(const char* role, Value content) {
    Value message = NewObject();
    message["role"] = role;
    message["content"] = std::move(content);
    encoded_.push_back(std::move(message));
    return encoded_.back();
  }

  std::string CallId(const std::string& id) const {
    if (is_mistral_) return MistralCallId(id);
    return id.size() <= kMaxCallIdBytes ? id : PortableCallId(id, kMaxCallIdBytes);
  }

  // Text alone is sent as a string, which the oldest compatible servers understand as well.
  tl::expected<void, std::string> AddUser(const ipc::Message& message) {
    if (message.parts.size() <= 1 && !HasImage(message)) {
      Append("user", ipc::TextOf(message));
      return {};
    }
    Value parts = Value::array();
    for (const ipc::Part& part : message.parts) {
      auto encoded = UserPart(part);
      if (!encoded) return Refuse(encoded.error());
      parts.push_back(*std::move(encoded));
    }
    Append("user", std::move(parts));
    return {};
  }

  static tl::expected<Value, std::string> UserPart(const ipc::Part& part) {
    Value encoded = NewObject();
    if (const auto* text = std::get_if<ipc::TextPart>(&part)) {
      encoded["type"] = "text";
      encoded["text"] = text->text;
      return encoded;
    }
    const auto image = ResolveImage(std::get<ipc::ImagePart>(part));
    if (!image) return Refuse(image.error());
    encoded["type"] = "image_url";
    encoded["image_url"]["url"] =
        image->url.empty() ? "data:" + image->mime_type + ";base64," + image->base64 : image->url;
    return encoded;
  }

  void AddAssistant(const ipc::Message& message) {
    const std::string text = ipc::TextOf(message);
    const bool only_calls = text.empty() && !message.tool_calls.empty();
    Value& encoded = Append("assistant", only_calls ? Value() : Value(text));
    for (const ipc::ToolCall& call : message.tool_calls) {
      encoded["tool_calls"].push_back(EncodeCall(call));
    }
    const Value* state = OwnState(message.provider_state);
    if (state == nullptr) return;
    CopyMember(*state, "reasoning_details", &encoded);
    if (!message.tool_calls.empty()) CopyMember(*state, "reasoning_content", &encoded);
  }

  Value EncodeCall(const ipc::ToolCall& call) const {
    Value encoded = NewObject();
    encoded["id"] = CallId(call.id);
    encoded["type"] = "function";
    encoded["function"]["name"] = call.name;
    encoded["function"]["arguments"] = HasVisibleText(call.arguments) ? call.arguments : "{}";
    if (const Value* state = OwnState(call.provider_state)) {
      CopyMember(*state, "extra_content", &encoded);
    }
    return encoded;
  }

  const Value* OwnState(const Value& state) const {
    const Value* own = StateOf(state, "openai");
    return own != nullptr && TextMember(*own, "model") == model_ ? own : nullptr;
  }

  static void CopyMember(const Value& from, const char* key, Value* to) {
    if (const Value* member = Member(from, key)) (*to)[key] = *member;
  }

  const std::vector<ipc::Message>& messages_;
  const std::string& model_;
  const bool is_mistral_;
  const bool wants_object_;
  Value encoded_ = Value::array();
};

}  // namespace

tl::expected<ipc::Value, std::string> OpenAiMessages(const Attempt& attempt) {
  return MessagesEncoder(attempt).Run();
}

}  // namespace requestrouter::upstream
