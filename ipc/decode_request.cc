#include <functional>
#include <map>

#include "ipc/bounds.h"
#include "ipc/codec.h"
#include "ipc/decode_chat.h"
#include "ipc/digest.h"
#include "ipc/fields.h"
#include "ipc/names.h"
#include "ipc/rfc3339.h"
#include "ipc/wire_value.h"

namespace requestrouter::ipc {
namespace {

using Problem = std::optional<Error>;

Error Invalid(std::string message) {
  return {ErrorType::kInvalidRequest, std::move(message), std::nullopt, Value(), std::nullopt};
}

std::optional<std::uint32_t> ReadUid(Fields& fields) {
  const auto uid = fields.OptionalInteger("uid", {0, UINT32_MAX});
  if (!uid) return std::nullopt;
  return static_cast<std::uint32_t>(*uid);
}

Body ReadCancel(const Value& body, Problem* error) {
  return CancelRequest{Fields(body, "body", error).RequiredText("id", bounds::kId)};
}

Body ReadConversationGet(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  return ConversationGetRequest{fields.RequiredText("conv_id", bounds::kConvId),
                                fields.OptionalInteger("limit", {0, INT64_MAX}), ReadUid(fields)};
}

Body ReadConversationList(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  return ConversationListRequest{
      fields.Text("prefix", bounds::kConvId), fields.Text("user_id", bounds::kLabel),
      fields.Integer("limit", 100, {1, INT64_MAX}), fields.Text("after", bounds::kConvId),
      ReadUid(fields)};
}

Body ReadConversationTruncate(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  return ConversationTruncateRequest{fields.RequiredText("conv_id", bounds::kConvId),
                                     fields.Integer("keep_last_n", 20, {0, INT64_MAX})};
}

Body ReadConversationDelete(const Value& body, Problem* error) {
  return ConversationDeleteRequest{
      Fields(body, "body", error).RequiredText("conv_id", bounds::kConvId)};
}

Body ReadConversationExport(const Value& body, Problem* error) {
  return ConversationExportRequest{Fields(body, "body", error).Text("conv_id", bounds::kConvId)};
}

Body ReadKeysReset(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  KeysResetRequest request{fields.Text("key_id", bounds::kLabel), fields.Flag("all", false),
                           fields.Flag("counters", false)};
  if (request.key_id.empty() != request.all) {
    fields.Fail("key_id", "exactly one of key_id and all: true is required");
  }
  return request;
}

Body ReadKeysDisable(const Value& body, Problem* error) {
  return KeysDisableRequest{Fields(body, "body", error).RequiredText("key_id", bounds::kLabel)};
}

Body ReadKeysEnable(const Value& body, Problem* error) {
  return KeysEnableRequest{Fields(body, "body", error).RequiredText("key_id", bounds::kLabel)};
}

std::optional<std::int64_t> ReadInstant(Fields& fields, const char* key) {
  if (!fields.Has(key)) return std::nullopt;
  const std::optional<std::int64_t> instant = ParseRfc3339(fields.Text(key));
  if (!instant) fields.Fail(key, "must be an RFC 3339 instant, such as 2026-01-31T12:00:00.000Z");
  return instant;
}

Body ReadUsage(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  UsageRequest request{ReadInstant(fields, "since"), ReadInstant(fields, "until"), {}};
  const Value* by = fields.Array("by", 7);
  for (std::size_t i = 0; by && i < by->size(); ++i) {
    const Value& name = (*by)[i];
    const auto group =
        name.is_string() ? UsageGroupFromName(name.get<std::string>()) : std::nullopt;
    if (!group) {
      fields.Fail("by", "must be any of key, model, caller, agent, user, hour, day");
      break;
    }
    request.by.push_back(*group);
  }
  return request;
}

Body ReadExplain(const Value& body, Problem* error) {
  Fields fields(body, "body", error);
  return ExplainRequest{fields.RequiredText("id", bounds::kId), ReadUid(fields)};
}

Body ReadBackup(const Value& body, Problem* error) {
  return BackupRequest{Fields(body, "body", error).RequiredText("path", 4096)};
}

template <typename T>
Body Nothing(const Value&, Problem*) {
  return T{};
}

using Reader = Body (*)(const Value& body, Problem* error);

const std::map<std::string, Reader, std::less<>> kOperations = {
    {"backup", &ReadBackup},
    {"cancel", &ReadCancel},
    {"chat", [](const Value& body, Problem* error) -> Body { return ReadChat(body, error); }},
    {"conversation.delete", &ReadConversationDelete},
    {"conversation.export", &ReadConversationExport},
    {"conversation.get", &ReadConversationGet},
    {"conversation.list", &ReadConversationList},
    {"conversation.truncate", &ReadConversationTruncate},
    {"explain", &ReadExplain},
    {"health", &Nothing<HealthRequest>},
    {"keys.disable", &ReadKeysDisable},
    {"keys.enable", &ReadKeysEnable},
    {"keys.list", &Nothing<KeysListRequest>},
    {"keys.reset", &ReadKeysReset},
    {"metrics", &Nothing<MetricsRequest>},
    {"models", &Nothing<ModelsRequest>},
    {"ping", &Nothing<PingRequest>},
    {"queue", &Nothing<QueueRequest>},
    {"reload", &Nothing<ReloadRequest>},
    {"usage", &ReadUsage},
};

Error UnknownOp(const std::string& op) {
  std::string names;
  for (const auto& [name, reader] : kOperations) names += (names.empty() ? "" : ", ") + name;
  return {ErrorType::kUnknownOp, "no operation \"" + op + "\"; there are " + names, std::nullopt,
          Value(), std::nullopt};
}

Problem CheckVersion(const Value& payload) {
  const auto found = payload.find("v");
  if (found == payload.end() || found->is_null()) return Invalid("v: is required: 1");
  const std::optional<std::int64_t> version = WholeNumber(*found);
  if (!version) return Invalid("v: must be an int, is " + TypeName(*found));
  if (*version == kProtocolVersion) return std::nullopt;
  return Error{ErrorType::kUnsupportedVersion,
               "version " + std::to_string(*version) + " is not supported; 1 is", std::nullopt,
               Value{{"supported", Value::array({kProtocolVersion})}}, std::nullopt};
}

}  // namespace

tl::expected<Request, BadRequest> DecodeRequest(std::string_view payload, const Limits& limits) {
  if (payload.size() > limits.payload_bytes) {
    return tl::unexpected(BadRequest{
        "",
        {ErrorType::kPayloadTooLarge,
         "the payload has " + std::to_string(payload.size()) + " bytes; at most " +
             std::to_string(limits.payload_bytes) + " are allowed",
         std::nullopt, Value{{"limit", limits.payload_bytes}}, std::nullopt}});
  }
  const auto decoded = DecodeValue(payload, limits);
  if (!decoded) return tl::unexpected(BadRequest{"", Invalid("the payload " + decoded.error())});
  if (!decoded->is_object()) {
    return tl::unexpected(
        BadRequest{"", Invalid("the payload must be a map, is " + TypeName(*decoded))});
  }

  Problem error;
  Fields fields(*decoded, "", &error);
  Request request;
  request.id = fields.RequiredText("id", bounds::kId);
  if (const Problem version = CheckVersion(*decoded)) {
    return tl::unexpected(BadRequest{request.id, *version});
  }
  const std::string op = fields.RequiredText("op");
  request.deadline_ms = fields.Integer("deadline_ms", 120'000, {1, bounds::kDayMs});
  const Value body = fields.Has("body") ? fields.Map("body") : Value::object();
  if (error) return tl::unexpected(BadRequest{request.id, *error});
  const auto operation = kOperations.find(op);
  if (operation == kOperations.end()) {
    return tl::unexpected(BadRequest{request.id, UnknownOp(op)});
  }
  request.body = operation->second(body, &error);
  if (error) return tl::unexpected(BadRequest{request.id, *error});
  if (op == "chat") request.body_digest = Digest(body);
  return request;
}

}  // namespace requestrouter::ipc
