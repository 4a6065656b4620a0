#include <array>
#include <string>

#include "ipc/codec.h"
#include "ipc/wire_value.h"
#include "tests/fuzz/input.h"

// Requests that are well-formed MessagePack with PROTOCOL.md's own keys, but values of every kind
// below them: what random bytes hardly ever reach.

using namespace requestrouter;

namespace {

constexpr std::array kOps = {"chat",
                             "cancel",
                             "conversation.get",
                             "conversation.list",
                             "conversation.truncate",
                             "keys.reset",
                             "explain",
                             "usage",
                             "backup",
                             "conversation.export",
                             "conversation.delete"};
constexpr std::array kKeys = {"prompt",        "messages",
                              "role",          "content",
                              "tool_calls",    "id",
                              "name",          "arguments",
                              "tool_call_id",  "provider_state",
                              "type",          "text",
                              "image",         "mime_type",
                              "data",          "url",
                              "conv_id",       "workload",
                              "max_wait_ms",   "temperature",
                              "top_p",         "stop",
                              "seed",          "response_format",
                              "schema",        "tools",
                              "tool_choice",   "parameters",
                              "reasoning",     "effort",
                              "budget_tokens", "provider_options",
                              "stream",        "progress",
                              "priority",      "metadata",
                              "user_id",       "agent",
                              "limit",         "after",
                              "uid",           "by",
                              "since",         "until",
                              "keep_last_n",   "key_id",
                              "all",           "path",
                              "on_unknown",    "description"};
constexpr std::array kWords = {"user",  "assistant", "tool",     "system", "text",
                               "image", "low",       "auto",     "heavy",  "json_schema",
                               "fail",  "none",      "required", "batch",  "image/png"};

ipc::Value Scalar(fuzz::Choices& choices) {
  switch (choices.Byte() % 8) {
    case 0:
      return nullptr;
    case 1:
      return choices.Flip();
    case 2:
      return static_cast<std::int64_t>(choices.Below(65'536)) - 32'768;
    case 3:
      return static_cast<std::uint64_t>(-1) >> (choices.Byte() % 64);
    case 4:
      return static_cast<double>(choices.Below(1'000)) / 7.0;
    case 5:
      return ipc::Value::binary({1, 2, 3});
    case 6:
      return std::string(choices.Take(choices.Byte() % 32));
    default:
      return kWords[choices.Byte() % kWords.size()];
  }
}

ipc::Value Any(fuzz::Choices& choices, int depth) {
  const std::uint8_t kind = choices.Byte() % 4;
  if (depth == 0 || choices.spent() || kind < 2) return Scalar(choices);
  ipc::Value value = kind == 2 ? ipc::Value::array() : ipc::Value::object();
  for (std::size_t i = choices.Byte() % 6; i > 0; --i) {
    if (kind == 2) {
      value.push_back(Any(choices, depth - 1));
    } else {
      value[kKeys[choices.Byte() % kKeys.size()]] = Any(choices, depth - 1);
    }
  }
  return value;
}

ipc::Value Request(fuzz::Choices& choices) {
  ipc::Value body = ipc::Value::object();
  if (choices.Flip()) body["prompt"] = "hi";
  while (!choices.spent()) body[kKeys[choices.Byte() % kKeys.size()]] = Any(choices, 6);
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Choices choices(data, size);
  ipc::Value request = {{"v", 1}, {"id", "r"}, {"op", kOps[choices.Byte() % kOps.size()]}};
  request["body"] = Request(choices);
  const auto decoded = ipc::DecodeRequest(ipc::EncodeValue(request), ipc::Limits{});
  if (!decoded) {
    fuzz::Require(decoded.error().id == "r", "the answer does not find its caller");
    return 0;
  }
  const std::string once = ipc::EncodeRequest(*decoded);
  const auto again = ipc::DecodeRequest(once, ipc::Limits{});
  fuzz::Require(again.has_value(), "an accepted request is refused when sent again");
  fuzz::Require(ipc::EncodeRequest(*again) == once, "a request changes on its way");
  return 0;
}
