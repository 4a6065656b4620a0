#include "payloads.h"

#include <gtest/gtest.h>

#include "ipc/wire_value.h"

namespace requestrouter::ipc {

std::string Pack(const Value& value) { return EncodeValue(value); }

Value RequestValue(const std::string& op, Value body) {
  return {{"v", 1}, {"id", "r-1"}, {"op", op}, {"body", std::move(body)}};
}

tl::expected<Request, BadRequest> Decode(const std::string& op, Value body) {
  return DecodeRequest(Pack(RequestValue(op, std::move(body))), Limits{});
}

ChatRequest DecodeChat(Value body) {
  auto request = Decode("chat", std::move(body));
  if (request) return std::get<ChatRequest>(request->body);
  ADD_FAILURE() << request.error().error.message;
  return {};
}

std::string ChatMistake(Value body) {
  const auto request = Decode("chat", std::move(body));
  if (request) return "it was accepted";
  if (request.error().id != "r-1") return "its id was not echoed";
  const Error& error = request.error().error;
  if (error.type != ErrorType::kInvalidRequest) return "it was " + std::string(Name(error.type));
  return error.message;
}

Value Nested(int levels) {
  Value value = Value::array();
  for (int i = 1; i < levels; ++i) value = Value::array({std::move(value)});
  return value;
}

}  // namespace requestrouter::ipc
