#include "ipc/decode_operations.h"

#include <algorithm>
#include <array>
#include <utility>

#include "ipc/bounds.h"
#include "ipc/decode_chat.h"
#include "ipc/fields.h"
#include "ipc/names.h"
#include "ipc/rfc3339.h"

namespace requestrouter::ipc {
namespace {

// Overloads of Read, one an operation; those without a body take no notice of it.
void Read(Fields&, PingRequest&) {}
void Read(Fields&, ModelsRequest&) {}
void Read(Fields&, HealthRequest&) {}
void Read(Fields&, KeysListRequest&) {}
void Read(Fields&, ReloadRequest&) {}
void Read(Fields&, MetricsRequest&) {}
void Read(Fields&, CheckRequest&) {}

void Read(Fields& body, ChatRequest& chat) { chat = ReadChat(body); }

std::optional<std::uint32_t> ReadUid(Fields& body) {
  const auto uid = body.OptionalInteger("uid", {0, UINT32_MAX});
  if (!uid) return std::nullopt;
  return static_cast<std::uint32_t>(*uid);
}

void Read(Fields& body, CancelRequest& request) {
  request.id = body.RequiredText("id", bounds::kId);
}

void Read(Fields& body, ConversationGetRequest& request) {
  request.conv_id = body.RequiredText("conv_id", bounds::kConvId);
  request.limit = body.OptionalInteger("limit", {0, INT64_MAX});
  request.uid = ReadUid(body);
}

void Read(Fields& body, ConversationListRequest& request) {
  request.prefix = body.Text("prefix", bounds::kConvId);
  request.user_id = body.Text("user_id", bounds::kLabel);
  request.limit = body.Integer("limit", request.limit, {1, INT64_MAX});
  request.after = body.Text("after", bounds::kCursor);
  request.uid = ReadUid(body);
}

void Read(Fields& body, ConversationTruncateRequest& request) {
  request.conv_id = body.RequiredText("conv_id", bounds::kConvId);
  request.keep_last_n = body.Integer("keep_last_n", request.keep_last_n, {0, INT64_MAX});
}

void Read(Fields& body, ConversationDeleteRequest& request) {
  request.conv_id = body.RequiredText("conv_id", bounds::kConvId);
}

void Read(Fields& body, ConversationExportRequest& request) {
  request.conv_id = body.Text("conv_id", bounds::kConvId);
}

void Read(Fields& body, QueueRequest& request) {
  request.recent = body.Integer("recent", request.recent, {0, bounds::kRecent});
}

void Read(Fields& body, KeysResetRequest& request) {
  request.key_id = body.Text("key_id", bounds::kLabel);
  request.all = body.Flag("all", false);
  request.counters = body.Flag("counters", false);
  if (request.key_id.empty() != request.all) {
    body.Fail("key_id", "exactly one of key_id and all: true is required");
  }
}

void Read(Fields& body, KeysDisableRequest& request) {
  request.key_id = body.RequiredText("key_id", bounds::kLabel);
}

void Read(Fields& body, KeysEnableRequest& request) {
  request.key_id = body.RequiredText("key_id", bounds::kLabel);
}

std::optional<std::int64_t> ReadInstant(Fields& body, const char* key) {
  const std::optional<std::string> text = body.OptionalText(key);
  if (!text) return std::nullopt;
  const std::optional<std::int64_t> instant = ParseRfc3339(*text);
  if (!instant) {
    body.Fail(key,
              "must be an RFC 3339 instant such as 2026-01-31T12:00:00.000Z, is " + Quoted(*text));
  }
  return instant;
}

UsageGroup ReadGroup(const Value& value, const std::string& path, std::optional<Error>* error) {
  const auto group =
      value.is_string() ? UsageGroupFromName(value.get_ref<const std::string&>()) : std::nullopt;
  if (!group) {
    *error = MakeError(
        ErrorType::kInvalidRequest,
        path + ": must be one of key, model, caller, agent, user, hour, day, is " +
            (value.is_string() ? Quoted(value.get_ref<const std::string&>()) : TypeName(value)));
  }
  return group.value_or(UsageGroup::kKey);
}

void Read(Fields& body, UsageRequest& request) {
  request.since_ms = ReadInstant(body, "since");
  request.until_ms = ReadInstant(body, "until");
  if (request.since_ms && request.until_ms && *request.since_ms > *request.until_ms) {
    body.Fail("until", "must not be before since");
  }
  body.Each("by", bounds::kUsageGroups, [&](const Value& value, const std::string& path) {
    const UsageGroup group = ReadGroup(value, path, body.error());
    const bool known = std::find(request.by.begin(), request.by.end(), group) != request.by.end();
    if (!known) request.by.push_back(group);
  });
}

void Read(Fields& body, ExplainRequest& request) {
  request.id = body.RequiredText("id", bounds::kId);
  request.uid = ReadUid(body);
}

void Read(Fields& body, BackupRequest& request) {
  request.path = body.RequiredText("path", bounds::kPath);
}

void Read(Fields& body, RestoreRequest& request) {
  request.path = body.RequiredText("path", bounds::kPath);
}

template <typename Operation>
Body ReadAs(const Value& value, std::optional<Error>* error) {
  Fields body(value, "body", error);
  Operation operation;
  Read(body, operation);
  return operation;
}

using Reader = Body (*)(const Value& body, std::optional<Error>* error);

template <std::size_t... Index>
constexpr std::array<Reader, sizeof...(Index)> Readers(std::index_sequence<Index...>) {
  return {&ReadAs<std::variant_alternative_t<Index, Body>>...};
}

}  // namespace

Body ReadBody(std::size_t index, const Value& body, std::optional<Error>* error) {
  static constexpr auto kReaders = Readers(std::make_index_sequence<std::variant_size_v<Body>>());
  return kReaders.at(index)(body, error);
}

}  // namespace requestrouter::ipc
