#include "ipc/bounds.h"
#include "ipc/codec.h"
#include "ipc/decode_operations.h"
#include "ipc/decode_payload.h"
#include "ipc/digest.h"
#include "ipc/fields.h"
#include "ipc/names.h"

namespace requestrouter::ipc {
namespace {

void ReadVersion(Fields& payload) {
  const Value* version = payload.Find("v");
  if (!version) return payload.Fail("v", "is required: 1");
  const bool whole = version->is_number_integer() || WholeNumber(*version);
  if (!whole) return payload.Fail("v", "must be an int, is " + TypeName(*version));
  if (WholeNumber(*version) == kProtocolVersion) return;
  *payload.error() = MakeError(ErrorType::kUnsupportedVersion,
                               "v: version " + version->dump() + " is not supported; 1 is",
                               {{"supported", Value::array({kProtocolVersion})}});
}

// The operation as an index into Body; 0 with an error.
std::size_t ReadOperation(Fields& payload) {
  const std::string name = payload.RequiredText("op");
  if (*payload.error()) return 0;
  const std::optional<std::size_t> index = OperationFromName(name);
  if (!index) {
    *payload.error() =
        MakeError(ErrorType::kUnknownOp,
                  "op: there is no operation " + Quoted(name) + "; there are " + OperationNames());
  }
  return index.value_or(0);
}

Request ReadRequest(const Value& value, std::optional<Error>* error) {
  Fields payload(value, "", error);
  Request request;
  ReadVersion(payload);
  request.id = payload.RequiredText("id", bounds::kId);
  const std::size_t operation = ReadOperation(payload);
  request.deadline_ms = payload.Integer("deadline_ms", request.deadline_ms, {1, bounds::kDayMs});
  if (*error) return request;
  static const Value kNothing = Value::object();
  const Value* given = payload.Find("body");
  const Value& body = given ? *given : kNothing;
  request.body = ReadBody(operation, body, error);
  if (!*error && std::holds_alternative<ChatRequest>(request.body)) {
    request.body_digest = Digest(body);
  }
  return request;
}

}  // namespace

tl::expected<Request, BadRequest> DecodeRequest(std::string_view payload, const Limits& limits) {
  DecodedPayload decoded = DecodePayload(payload, limits);
  if (decoded.error) {
    return tl::unexpected(BadRequest{std::move(decoded.id), std::move(*decoded.error)});
  }
  std::optional<Error> error;
  Request request = ReadRequest(decoded.value, &error);
  Dismantle(&decoded.value);
  if (error) return tl::unexpected(BadRequest{std::move(decoded.id), std::move(*error)});
  return request;
}

}  // namespace requestrouter::ipc
