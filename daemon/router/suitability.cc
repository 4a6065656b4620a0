#include "daemon/router/suitability.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "daemon/router/history.h"
#include "daemon/upstream/sketch.h"

namespace requestrouter::router {
namespace {

using FormatKind = ipc::ResponseFormat::Kind;

bool HoldsImage(const ipc::Message& message) { return ImagesOf(message) > 0; }

bool HoldsToolUse(const ipc::Message& message) {
  return message.role == ipc::Role::kTool || !message.tool_calls.empty();
}

std::vector<std::string> Needed(const upstream::Prompt& prompt) {
  const ipc::ChatRequest& options = prompt.options;
  const auto any = [&](auto holds) {
    return std::any_of(prompt.messages.begin(), prompt.messages.end(), holds);
  };
  std::vector<std::string> needed;
  if (!options.tools.empty() || any(HoldsToolUse)) needed.emplace_back("tools");
  if (options.response_format.kind == FormatKind::kJsonObject) needed.emplace_back("json");
  if (options.response_format.kind == FormatKind::kJsonSchema) needed.emplace_back("json_schema");
  if (any(HoldsImage)) needed.emplace_back("images");
  if (options.reasoning) needed.emplace_back("reasoning");
  if (options.stream) needed.emplace_back("streaming");
  return needed;
}

std::int64_t TokensOf(const upstream::Prompt& prompt) {
  std::int64_t bytes = 0;
  for (const ipc::Message& message : prompt.messages) bytes += BytesOf(message);
  return bytes / kBytesPerToken + prompt.options.max_output_tokens;
}

// What `model` cannot do of a prompt, in words; nullopt: it can do all of it.
class Judge {
 public:
  Judge(const Catalog& catalog, const upstream::Prompt& prompt)
      : catalog_(catalog),
        needed_(Needed(prompt)),
        tokens_(TokensOf(prompt)),
        sketch_(upstream::IsPlain(prompt)
                    ? nullptr
                    : std::make_shared<const upstream::Prompt>(upstream::SketchOf(prompt))) {}

  bool HasRoom(const std::string& model) const {
    const auto context = catalog_.ContextOf(model);
    return !context || tokens_ <= *context;
  }

  std::optional<std::string> WhyNot(const std::string& model) const {
    if (const auto lacking = Lacking(model); !lacking.empty()) return "it lacks " + lacking;
    if (!sketch_) return std::nullopt;
    std::optional<std::string> why;
    for (const auto& provider : catalog_.ProvidersOf(model)) {
      why = upstream::WhyNot(provider, model, sketch_);
      if (!why) return std::nullopt;
    }
    return why;
  }

 private:
  std::string Lacking(const std::string& model) const {
    if (needed_.empty()) return "";
    const std::vector<std::string> has = catalog_.CapabilitiesOf(model);
    std::string lacking;
    for (const std::string& capability : needed_) {
      if (std::find(has.begin(), has.end(), capability) != has.end()) continue;
      lacking += (lacking.empty() ? "" : ", ") + capability;
    }
    return lacking;
  }

  const Catalog& catalog_;
  const std::vector<std::string> needed_;
  const std::int64_t tokens_;                             // of prompt and answer, estimated
  const std::shared_ptr<const upstream::Prompt> sketch_;  // nullptr: nothing to find out
};

ipc::Result<std::vector<std::string>> Refuse(const std::string& who, const std::string& why) {
  return ipc::Fail(ipc::ErrorType::kInvalidRequest, who + " cannot be asked this: " + why);
}

}  // namespace

ipc::Result<std::vector<std::string>> SuitableModels(const Catalog& catalog,
                                                     const upstream::Prompt& prompt,
                                                     bool allow_fallback) {
  const Judge judge(catalog, prompt);
  const std::string& wanted = prompt.options.model_preference;
  const std::vector<std::string>& models = catalog.models();
  const bool is_served = std::find(models.begin(), models.end(), wanted) != models.end();
  if (is_served && !allow_fallback) {
    if (const auto why = judge.WhyNot(wanted)) return Refuse(wanted, *why);
    return std::vector<std::string>{};
  }
  std::vector<std::string> suitable, too_short;
  std::string refused, why_refused;
  for (const std::string& model : models) {
    const auto why = judge.WhyNot(model);
    if (!why) {
      (model == wanted || judge.HasRoom(model) ? suitable : too_short).push_back(model);
    } else if (refused.empty() || model == wanted) {
      refused = model;
      why_refused = *why;
    }
  }
  if (suitable.empty()) suitable = std::exchange(too_short, {});
  if (suitable.size() == models.size()) return std::vector<std::string>{};
  if (suitable.empty()) return Refuse(refused, why_refused);
  return suitable;
}

}  // namespace requestrouter::router
