#include "client_lib/src/foreign_reply.h"

#include <utility>

#include "client_lib/src/errors.h"
#include "client_lib/src/json.h"
#include "client_lib/src/read.h"
#include "ipc/decode_payload.h"

namespace requestrouter::client {
namespace {

using ipc::Value;

Error OtherVersion(const Value& version) {
  return MakeError(
      ErrorType::kUnsupportedVersion,
      "the daemon speaks version " + version.dump() + " of the protocol and this library version " +
          std::to_string(ipc::kProtocolVersion) + "; install the same release of both");
}

Error OtherError(const Value& wire) {
  Error error = MakeError(ErrorType::kInternalError,
                          ReadText(wire, "type") + ": " + ReadText(wire, "message"));
  error.retryable = ReadBool(wire, "retryable");
  if (const auto after = ReadOptionalInt(wire, "retry_after_ms")) {
    error.retry_after = std::chrono::milliseconds(*after);
  }
  error.details_json = DumpJson(ReadChild(wire, "details"));
  return error;
}

}  // namespace

std::optional<ForeignReply> ReadForeignReply(std::string_view payload, const ipc::Limits& limits) {
  ipc::DecodedPayload decoded = ipc::DecodePayload(payload, limits);
  if (decoded.id.empty()) return std::nullopt;
  const Value& reply = decoded.value;
  const Value& final = ReadChild(reply, "final");
  if (final.is_boolean() && !final.get<bool>()) return std::nullopt;
  const Value& version = ReadChild(reply, "v");
  if (version.is_number() && version != ipc::kProtocolVersion) {
    return ForeignReply{std::move(decoded.id), OtherVersion(version)};
  }
  const Value& error = ReadChild(reply, "error");
  if (!ReadText(error, "type").empty()) {
    return ForeignReply{std::move(decoded.id), OtherError(error)};
  }
  return ForeignReply{std::move(decoded.id),
                      MakeError(ErrorType::kInternalError, "the daemon's answer cannot be read")};
}

}  // namespace requestrouter::client
