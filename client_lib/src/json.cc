#include "client_lib/src/json.h"

#include <utility>

#include "client_lib/src/base64.h"
#include "client_lib/src/errors.h"

namespace requestrouter::client {
namespace {

using ipc::Value;

constexpr std::string_view kBase64Suffix = "_base64";

std::string Dump(const Value& value) {
  return value.dump(-1, ' ', false, Value::error_handler_t::replace);
}

// Replaces {name_base64: text} by {name: bytes} throughout. False where a text is not base64.
bool DecodeBinaries(Value& value) {
  if (!value.is_structured()) return true;
  Value result = value.is_object() ? Value::object() : Value::array();
  for (auto& [name, item] : value.items()) {
    if (value.is_array()) {
      if (!DecodeBinaries(item)) return false;
      result.push_back(std::move(item));
    } else if (name.ends_with(kBase64Suffix) && item.is_string()) {
      auto bytes = DecodeBase64(item.get_ref<const std::string&>());
      if (!bytes) return false;
      result[name.substr(0, name.size() - kBase64Suffix.size())] = Value::binary(std::move(*bytes));
    } else {
      if (!DecodeBinaries(item)) return false;
      result[name] = std::move(item);
    }
  }
  value = std::move(result);
  return true;
}

void EncodeBinaries(Value& value) {
  if (!value.is_structured()) return;
  Value result = value.is_object() ? Value::object() : Value::array();
  for (auto& [name, item] : value.items()) {
    std::string shown = name;
    if (item.is_binary()) {
      shown += kBase64Suffix;
      item = EncodeBase64(item.get_binary());
    } else {
      EncodeBinaries(item);
    }
    if (value.is_array()) {
      result.push_back(std::move(item));
    } else {
      result[shown] = std::move(item);
    }
  }
  value = std::move(result);
}

// Only chat messages carry binary data; elsewhere a name that happens to end in _base64 is kept.
bool DecodeMessages(Value& body) {
  const auto messages = body.find("messages");
  return messages == body.end() || DecodeBinaries(*messages);
}

}  // namespace

Result<Value> ParseJson(std::string_view text, std::string_view what) {
  if (text.empty()) return Value();
  bool too_deep = false;
  // `depth` counts the containers around the one that begins.
  const auto bound_depth = [&too_deep](int depth, Value::parse_event_t event, Value&) {
    const bool begins =
        event == Value::parse_event_t::array_start || event == Value::parse_event_t::object_start;
    too_deep = too_deep || (begins && depth >= kMaxNesting);
    return !too_deep;
  };
  Value value = Value::parse(text, bound_depth, /*allow_exceptions=*/false);
  if (too_deep) return InvalidRequest(std::string(what) + " nests too deep");
  if (value.is_discarded()) return InvalidRequest(std::string(what) + " is not JSON");
  return value;
}

Result<Value> ParseBody(std::string_view text) {
  Result<Value> body = ParseJson(text, "the body");
  if (!body) return body;
  if (body->is_null()) return Value::object();
  if (!body->is_object()) return InvalidRequest("the body is not a JSON object");
  if (!DecodeMessages(*body)) return InvalidRequest("data_base64 is not base64");
  return body;
}

std::string DumpJson(const Value& value) { return value.is_null() ? std::string() : Dump(value); }

std::string DumpBody(Value body) {
  EncodeBinaries(body);
  return Dump(body);
}

}  // namespace requestrouter::client
