#include <algorithm>

#include "daemon/upstream/call_ids.h"
#include "daemon/upstream/gemini_encode.h"
#include "daemon/upstream/image.h"
#include "daemon/upstream/json_bounds.h"
#include "daemon/upstream/json_view.h"
#include "daemon/upstream/model_name.h"
#include "daemon/upstream/prompt.h"
#include "daemon/upstream/request_build.h"

namespace requestrouter::upstream {
namespace {

using ipc::Value;

constexpr char kForeignSignature[] = "skip_thought_signature_validator";

Value TextPart(std::string_view text) { return Value::object({{"text", std::string(text)}}); }

class ContentsEncoder {
 public:
  explicit ContentsEncoder(const Attempt& attempt)
      : messages_(attempt.prompt->messages), version_(GeminiVersion(attempt.model)) {}

  tl::expected<Value, std::string> Run() {
    for (std::size_t i = 0; i < messages_.size(); ++i) {
      if (auto added = Add(i); !added) return Refuse(added.error());
    }
    if (contents_.empty()) return Refuse("messages: nothing but empty or system messages");
    return std::move(contents_);
  }

 private:
  bool IsAtLeast(ModelVersion version) const { return !version_ || *version_ >= version; }

  tl::expected<void, std::string> Add(std::size_t index) {
    switch (messages_[index].role) {
      case ipc::Role::kSystem:
        return {};
      case ipc::Role::kUser:
        return AddUser(messages_[index]);
      case ipc::Role::kAssistant:
        return AddModel(messages_[index]);
      case ipc::Role::kTool:
        break;
    }
    return AddToolResult(index);
  }

  void Append(const char* role, Value parts) {
    if (parts.empty()) return;
    Value content = NewObject();
    content["role"] = role;
    content["parts"] = std::move(parts);
    contents_.push_back(std::move(content));
  }

  tl::expected<Value, std::string> ImagePart(const ipc::ImagePart& part) const {
    const auto image = ResolveImage(part);
    if (!image) return Refuse(image.error());
    const bool inline_data = image->url.empty();
    if (!inline_data && !IsAtLeast({2, 5})) {
      return Refuse("image.url: this model fetches no addresses; send the image's bytes");
    }
    Value data = NewObject();
    if (!image->mime_type.empty()) data["mimeType"] = image->mime_type;
    data[inline_data ? "data" : "fileUri"] = inline_data ? image->base64 : image->url;
    Value encoded = NewObject();
    encoded[inline_data ? "inlineData" : "fileData"] = std::move(data);
    return encoded;
  }

  tl::expected<void, std::string> AddUser(const ipc::Message& message) {
    Value parts = Value::array();
    for (const ipc::Part& part : message.parts) {
      if (const auto* text = std::get_if<ipc::TextPart>(&part)) {
        if (!text->text.empty()) parts.push_back(TextPart(text->text));
        continue;
      }
      auto image = ImagePart(std::get<ipc::ImagePart>(part));
      if (!image) return Refuse(image.error());
      parts.push_back(*std::move(image));
    }
    Append("user", std::move(parts));
    return {};
  }

  tl::expected<void, std::string> AddModel(const ipc::Message& message) {
    if (HasImage(message)) {
      return Refuse("messages.content: an assistant message cannot hold an image");
    }
    Value parts = Value::array();
    AddModelText(message, &parts);
    AddCalls(message, &parts);
    Append("model", std::move(parts));
    return {};
  }

  // The state lists the parts that the text came in, as far as signatures divide it, by their
  // length. Where the text is not as long any more, the signatures are of no use.
  static void AddModelText(const ipc::Message& message, Value* parts) {
    const std::string text = ipc::TextOf(message);
    std::size_t begin = 0;
    const bool is_own = StateOf(message.provider_state, "gemini") != nullptr;
    const Value& pieces = ItemsOf(message.provider_state, "parts");
    for (const Value& piece : pieces) {
      const auto bytes = static_cast<std::size_t>(CountMember(piece, "bytes"));
      if (!is_own || bytes > text.size() - begin) break;
      Value part = TextPart(std::string_view(text).substr(begin, bytes));
      part["thoughtSignature"] = std::string(TextMember(piece, "thoughtSignature"));
      parts->push_back(std::move(part));
      begin += bytes;
    }
    if (begin < text.size()) parts->push_back(TextPart(std::string_view(text).substr(begin)));
  }

  // Of parallel calls only the first bears a signature.
  void AddCalls(const ipc::Message& message, Value* parts) const {
    bool has_signature = !IsAtLeast({3, 0});
    for (const ipc::ToolCall& call : message.tool_calls) {
      Value part = NewObject();
      part["functionCall"] =
          Value::object({{"id", call.id}, {"name", call.name}, {"args", ArgumentsObject(call)}});
      const Value* state = StateOf(call.provider_state, "gemini");
      const std::string_view signature =
          state == nullptr ? std::string_view() : TextMember(*state, "thoughtSignature");
      if (!signature.empty()) {
        part["thoughtSignature"] = std::string(signature);
      } else if (!has_signature) {
        part["thoughtSignature"] = kForeignSignature;
      }
      has_signature = true;
      parts->push_back(std::move(part));
    }
  }

  // A result must be an object: JSON objects are passed as such, other text as {"result": text}.
  static Value ResultObject(const std::string& text) {
    auto parsed = ParseJson(text);
    if (parsed && parsed->is_object()) return *std::move(parsed);
    return Value::object({{"result", text}});
  }

  // Images in results are parts of the functionResponse itself, from Gemini 3 on.
  tl::expected<void, std::string> AddResultImages(const ipc::Message& message,
                                                  Value* response) const {
    if (!HasImage(message)) return {};
    if (!IsAtLeast({3, 0})) {
      return Refuse("messages.content: this model takes no images in tool results");
    }
    for (const ipc::Part& part : message.parts) {
      const auto* image = std::get_if<ipc::ImagePart>(&part);
      if (image == nullptr) continue;
      auto encoded = ImagePart(*image);
      if (!encoded) return Refuse(encoded.error());
      (*response)["parts"].push_back(*std::move(encoded));
    }
    return {};
  }

  tl::expected<void, std::string> AddToolResult(std::size_t index) {
    const ipc::Message& message = messages_[index];
    Value response = NewObject();
    response["id"] = message.tool_call_id;
    response["name"] = *CalledFunction(messages_, index, message.tool_call_id);
    response["response"] = ResultObject(ipc::TextOf(message));
    if (auto added = AddResultImages(message, &response); !added) return added;
    Value part = Value::object({{"functionResponse", std::move(response)}});
    if (index > 0 && messages_[index - 1].role == ipc::Role::kTool) {
      contents_.back()["parts"].push_back(std::move(part));
    } else {
      Append("user", Value::array({std::move(part)}));
    }
    return {};
  }

  const std::vector<ipc::Message>& messages_;
  const std::optional<ModelVersion> version_;
  Value contents_ = Value::array();
};

}  // namespace

tl::expected<ipc::Value, std::string> GeminiContents(const Attempt& attempt) {
  return ContentsEncoder(attempt).Run();
}

}  // namespace requestrouter::upstream
