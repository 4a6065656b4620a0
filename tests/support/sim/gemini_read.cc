#include <algorithm>
#include <array>
#include <cctype>

#include "tests/support/sim/gemini.h"

namespace requestrouter::sim {
namespace {

constexpr std::array kFields = {
    "cachedContent", "contents", "generationConfig",  "labels",     "model", "safetySettings",
    "serviceTier",   "store",    "systemInstruction", "toolConfig", "tools"};
constexpr std::array kConfigFields = {"candidateCount",
                                      "enableEnhancedCivicAnswers",
                                      "frequencyPenalty",
                                      "imageConfig",
                                      "logprobs",
                                      "maxOutputTokens",
                                      "mediaResolution",
                                      "presencePenalty",
                                      "responseJsonSchema",
                                      "responseLogprobs",
                                      "responseMimeType",
                                      "responseModalities",
                                      "responseSchema",
                                      "seed",
                                      "speechConfig",
                                      "stopSequences",
                                      "temperature",
                                      "thinkingConfig",
                                      "topK",
                                      "topP",
                                      "_responseJsonSchema"};
// Stands for a signature of another model's; accepted for histories that began elsewhere.
constexpr char kSkipSignature[] = "skip_thought_signature_validator";

using Checked = tl::expected<void, std::string>;

tl::unexpected<std::string> Fail(std::string message) { return tl::unexpected(std::move(message)); }

// Proto's JSON accepts both spellings of a name.
std::string CamelCase(const std::string& name) {
  std::string camel;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const bool is_hyphen = name[i] == '_' && i > 0 && i + 1 < name.size();
    camel += is_hyphen ? static_cast<char>(std::toupper(name[++i])) : name[i];
  }
  return camel;
}

template <std::size_t N>
tl::expected<Json, std::string> KnownFields(const Json& from,
                                            const std::array<const char*, N>& known,
                                            const char* where) {
  Json result = Json::object();
  for (const auto& [name, value] : from.items()) {
    const std::string camel = CamelCase(name);
    if (std::find(known.begin(), known.end(), camel) == known.end()) {
      return Fail("Invalid JSON payload received. Unknown name \"" + name + "\"" + where +
                  ": Cannot find field.");
    }
    result[camel] = value;
  }
  return result;
}

class Reader {
 public:
  Reader(const Json& body, const std::string& model) : body_(body) { asked_.model = model; }

  tl::expected<Asked, std::string> Run() {
    if (auto read = ReadContents(); !read) return Fail(read.error());
    if (auto read = ReadTools(); !read) return Fail(read.error());
    if (auto read = ReadConfig(); !read) return Fail(read.error());
    if (const Json* system = Find(body_, "systemInstruction")) {
      for (const Json& part : ItemsAt(*system, "parts")) asked_.system += TextAt(part, "text");
    }
    return std::move(asked_);
  }

 private:
  static std::string At(std::size_t content) {
    return "* GenerateContentRequest.contents[" + std::to_string(content) + "]";
  }

  Checked ReadContents() {
    const Json& contents = ItemsAt(body_, "contents");
    if (contents.empty()) {
      return Fail("* GenerateContentRequest.contents: contents is not specified\n");
    }
    for (std::size_t i = 0; i < contents.size(); ++i) {
      if (auto read = ReadContent(contents[i], i); !read) return read;
    }
    if (calls_ > 0) return Fail(kBadCallOrder);
    return CheckSignatures(contents);
  }

  Checked ReadContent(const Json& content, std::size_t index) {
    const std::string role = TextAt(content, "role");
    if (!role.empty() && role != "user" && role != "model" && role != "function") {
      return Fail("Please use a valid role: user, model.");
    }
    const Json& parts = ItemsAt(content, "parts");
    if (parts.empty()) {
      return Fail(At(index) + ".parts: contents.parts must not be empty.\n");
    }
    Turn turn;
    turn.role = role == "model" ? Role::kAssistant : Role::kUser;
    std::size_t calls = 0, results = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (auto read = ReadPart(parts[i], &turn, &calls, &results); !read) {
        return Fail(At(index) + ".parts[" + std::to_string(i) + "]" + read.error());
      }
    }
    if (results != calls_) return Fail(kBadCallOrder);
    calls_ = calls;
    const bool only_results = results > 0 && turn.text.empty() && turn.images.empty();
    if (!only_results) asked_.turns.push_back(std::move(turn));
    return {};
  }

  Checked ReadPart(const Json& part, Turn* turn, std::size_t* calls, std::size_t* results) {
    if (const Json* call = Find(part, "functionCall")) {
      asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(*call).size());
      ++*calls;
    } else if (const Json* result = Find(part, "functionResponse")) {
      if (!Find(*result, "response")) return Fail(".function_response.response: required");
      asked_.turns.push_back({Role::kTool, ResultText((*result)["response"]), {}});
      ++*results;
    } else if (const Json* data = Find(part, "inlineData")) {
      if (TextAt(*data, "mimeType").empty()) return Fail(".inline_data.mime_type: required");
      turn->images.push_back(Base64Bytes(TextAt(*data, "data")));
    } else if (Find(part, "fileData")) {
      turn->images.push_back(0);
    } else if (part.contains("text")) {
      if (!BoolAt(part, "thought")) turn->text += TextAt(part, "text");
    } else {
      return Fail(".data: required oneof field 'data' must have one initialized field\n");
    }
    return {};
  }

  static std::string ResultText(const Json& response) {
    const Json* result = Find(response, "result");
    return result && result->is_string() && response.size() == 1 ? result->get<std::string>()
                                                                 : Dump(response);
  }

  // Gemini 3: in the current turn, the first call of each step must bear its signature. Earlier
  // models do not insist; none accepts one that it never gave.
  Checked CheckSignatures(const Json& contents) const {
    std::size_t begin = contents.size();
    while (begin > 0 && !IsPrompt(contents[begin - 1])) --begin;
    for (std::size_t i = 0; i < contents.size(); ++i) {
      bool is_first_call = true;
      for (const Json& part : contents[i]["parts"]) {
        const std::string signature = TextAt(part, "thoughtSignature");
        if (!signature.empty() && signature != kSkipSignature && !IsSignature(signature)) {
          return Fail("Corrupted thought signature.");
        }
        const Json* call = Find(part, "functionCall");
        if (!call) continue;
        const bool is_wanted =
            is_first_call && i >= begin && asked_.model.rfind("gemini-3", 0) == 0;
        if (is_wanted && signature.empty()) return Fail(MissingSignature(*call, i));
        is_first_call = false;
      }
    }
    return {};
  }

  static std::string MissingSignature(const Json& call, std::size_t index) {
    return "Function call is missing a thought_signature in functionCall parts. This is required "
           "for tools to work correctly, and missing thought_signature may lead to degraded model "
           "performance. Additional data, function call `default_api:" +
           TextAt(call, "name") + "` , position " + std::to_string(index + 1) + ".";
  }

  static bool IsPrompt(const Json& content) {
    const Json& parts = ItemsAt(content, "parts");
    return TextAt(content, "role") != "model" && !parts.empty() &&
           !Find(parts.front(), "functionResponse");
  }

  Checked ReadTools() {
    for (const Json& tool : ItemsAt(body_, "tools")) {
      for (const Json& declared : ItemsAt(tool, "functionDeclarations")) {
        const std::string name = TextAt(declared, "name");
        if (name.empty())
          return Fail(
              "* GenerateContentRequest.tools[0].function_declarations[0]"
              ".name: Invalid function name.");
        const Json* schema = Find(declared, "parametersJsonSchema");
        if (!schema) schema = Find(declared, "parameters");
        asked_.tools.push_back({name, schema ? *schema : Json::object()});
        asked_.extra_input_bytes += static_cast<std::int64_t>(Dump(declared).size());
      }
    }
    const Json* config = Find(body_, "toolConfig");
    const Json* calling = config ? Find(*config, "functionCallingConfig") : nullptr;
    if (!calling) return {};
    const std::string mode = TextAt(*calling, "mode");
    if (mode == "ANY") asked_.tool_choice = ToolChoice::kRequired;
    if (mode == "NONE") asked_.tool_choice = ToolChoice::kNone;
    const Json& names = ItemsAt(*calling, "allowedFunctionNames");
    if (names.size() == 1) asked_.tool_name = names.front().get<std::string>();
    return {};
  }

  Checked ReadConfig() {
    const Json* given = Find(body_, "generationConfig");
    if (!given) return {};
    const auto config = KnownFields(*given, kConfigFields, " at 'generation_config'");
    if (!config) return Fail(config.error());
    asked_.max_output_tokens = IntAt(*config, "maxOutputTokens", 0);
    if (const Json* temperature = Find(*config, "temperature")) {
      const double value = temperature->get<double>();
      if (value < 0 || value > 2) {
        return Fail(
            "* GenerateContentRequest.generation_config.temperature: temperature must be "
            "in the range [0.0, 2.0].\n");
      }
    }
    for (const Json& stop : ItemsAt(*config, "stopSequences")) asked_.stop.push_back(stop);
    if (asked_.stop.size() > 5) {
      return Fail("* GenerateContentRequest.generation_config.stop_sequences: too many\n");
    }
    const Json* thinking = Find(*config, "thinkingConfig");
    asked_.reasoning = thinking && BoolAt(*thinking, "includeThoughts");
    return ReadFormat(*config);
  }

  Checked ReadFormat(const Json& config) {
    const Json* schema = Find(config, "responseJsonSchema");
    if (!schema) schema = Find(config, "responseSchema");
    const bool is_json = TextAt(config, "responseMimeType") == "application/json";
    if (schema && !is_json) {
      return Fail(
          "* GenerateContentRequest.generation_config.response_schema: only allowed when "
          "the response_mime_type is 'application/json'.\n");
    }
    if (!is_json) return {};
    const bool is_before_3 =
        asked_.model.rfind("gemini-1", 0) == 0 || asked_.model.rfind("gemini-2", 0) == 0;
    if (!asked_.tools.empty() && is_before_3) {
      return Fail("Function calling with a response mime type: 'application/json' is unsupported");
    }
    asked_.format = schema ? Format::kJsonSchema : Format::kJsonObject;
    if (schema) asked_.schema = *schema;
    return {};
  }

  static constexpr char kBadCallOrder[] =
      "Please ensure that the number of function response parts is equal to the number of function "
      "call parts of the function call turn.";

  const Json& body_;
  Asked asked_;
  std::size_t calls_ = 0;  // of the content before, which wait for their results
};

}  // namespace

GeminiPath ParseGeminiPath(const std::string& path) {
  const std::string rest = path.substr(std::string("/v1beta/models/").size());
  const std::size_t colon = rest.rfind(':');
  if (colon == std::string::npos) return {rest, ""};
  return {rest.substr(0, colon), rest.substr(colon + 1)};
}

std::string GeminiDialect::SecretOf(const HttpRequest& request) const {
  return std::string(request.Header("x-goog-api-key"));
}

tl::expected<Asked, HttpResponse> GeminiDialect::Read(const HttpRequest& request) const {
  const GeminiPath path = ParseGeminiPath(request.path);
  const bool streams = path.method == "streamGenerateContent";
  if (!streams && path.method != "generateContent") {
    return tl::unexpected(
        HttpResponse{404, {{"Content-Type", "text/html"}}, "<title>Error 404</title>"});
  }
  if (streams && request.query.find("alt=sse") == std::string::npos) {
    return tl::unexpected(BadRequest("provider_sim: streams are spoken with alt=sse only"));
  }
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return tl::unexpected(BadRequest("Invalid JSON payload received. Unexpected token."));
  }
  const auto known = KnownFields(body, kFields, "");
  if (!known) return tl::unexpected(BadRequest(known.error()));
  auto asked = Reader(*known, path.model).Run();
  if (!asked) return tl::unexpected(BadRequest(asked.error()));
  asked->stream = streams;
  return *std::move(asked);
}

}  // namespace requestrouter::sim
