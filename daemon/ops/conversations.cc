#include <algorithm>

#include "daemon/ops/operations.h"
#include "daemon/router/errors.h"
#include "ipc/wire_value.h"

namespace requestrouter::ops {
namespace {

using router::Timestamp;

constexpr std::int64_t kListMost = 1'000;

ipc::Value ToValue(const storage::StoredMessage& message) {
  ipc::Value value = {
      {"role", message.role}, {"content", message.text}, {"timestamp", Timestamp(message.at)}};
  if (message.tokens > 0) value["tokens"] = message.tokens;
  if (!message.payload.empty()) {
    const auto whole = ipc::DecodeValue(message.payload, ipc::Limits{SIZE_MAX, 64});
    for (const char* name : {"content", "tool_calls", "tool_call_id"}) {
      if (whole && whole->contains(name)) value[name] = (*whole)[name];
    }
  }
  if (!message.model.empty()) {
    value["metadata"] = {{"model", message.model}, {"key_id", message.key_id}};
  }
  return value;
}

ipc::Value ToValue(const storage::Conversation& conversation) {
  const storage::ConversationInfo& info = conversation.info;
  ipc::Value value = {{"conv_id", info.conv_id}};
  if (info.system_prompt) value["system_prompt"] = *info.system_prompt;
  value["messages"] = ipc::Value::array();
  for (const auto& message : conversation.messages) value["messages"].push_back(ToValue(message));
  value["metadata"] = {
      {"created_at", Timestamp(info.created_at)}, {"updated_at", Timestamp(info.updated_at)},
      {"expires_at", Timestamp(info.expires_at)}, {"message_count", info.message_count},
      {"total_tokens", info.total_tokens},        {"last_model", info.last_model}};
  if (!info.user_id.empty()) value["metadata"]["user_id"] = info.user_id;
  return value;
}

std::string ToLine(const storage::Conversation& conversation) {
  return ToValue(conversation).dump(-1, ' ', false, ipc::Value::error_handler_t::replace);
}

ipc::Value ToRow(const storage::ConversationInfo& info) {
  return {{"conv_id", info.conv_id},
          {"updated_at", Timestamp(info.updated_at)},
          {"message_count", info.message_count},
          {"total_tokens", info.total_tokens}};
}

}  // namespace

void Operations::On(const Asker& asker, const ipc::ConversationGetRequest& request) {
  const auto owner = OwnerOf(asker, request.uid);
  if (!owner) return Reply(asker, tl::unexpected(owner.error()));
  parts_.store.GetConversation(*owner, request.conv_id, parts_.clock.Wall(), request.limit,
                               Later<storage::Conversation>([this, asker](auto loaded) {
                                 if (!loaded)
                                   return Reply(asker,
                                                tl::unexpected(router::ToError(loaded.error())));
                                 Reply(asker, ToValue(*loaded));
                               }));
}

void Operations::On(const Asker& asker, const ipc::ConversationListRequest& request) {
  const auto owner = OwnerOf(asker, request.uid);
  if (!owner) return Reply(asker, tl::unexpected(owner.error()));
  const std::int64_t limit = std::clamp<std::int64_t>(request.limit, 1, kListMost);
  parts_.store.ListConversations(
      *owner, request.prefix, request.user_id, request.after, limit + 1, parts_.clock.Wall(),
      Later<std::vector<storage::ConversationInfo>>([this, asker, limit](auto found) {
        if (!found) return Reply(asker, tl::unexpected(router::ToError(found.error())));
        const bool more = static_cast<std::int64_t>(found->size()) > limit;
        if (more) found->pop_back();
        ipc::Value rows = ipc::Value::array();
        for (const auto& info : *found) rows.push_back(ToRow(info));
        ipc::Value body = {{"conversations", std::move(rows)}};
        if (more) body["next"] = found->back().conv_id;
        Reply(asker, std::move(body));
      }));
}

void Operations::On(const Asker& asker, const ipc::ConversationTruncateRequest& request) {
  parts_.store.Submit(
      storage::TruncateConversation{asker.peer.uid, request.conv_id, request.keep_last_n},
      storage::Durability::kFull, Later<storage::Written>([this, asker](auto written) {
        if (!written) return Reply(asker, tl::unexpected(router::ToError(written.error())));
        Reply(asker, ipc::Value{{"removed", written->count}, {"message_count", written->left}});
      }));
}

void Operations::On(const Asker& asker, const ipc::ConversationDeleteRequest& request) {
  parts_.store.Submit(storage::DeleteConversation{asker.peer.uid, request.conv_id},
                      storage::Durability::kFull,
                      Later<storage::Written>([this, asker](auto written) {
                        if (!written && written.error().code != storage::ErrorCode::kNotFound) {
                          return Reply(asker, tl::unexpected(router::ToError(written.error())));
                        }
                        Reply(asker, ipc::Value{{"deleted", written && written->count > 0}});
                      }));
}

void Operations::On(const Asker& asker, const ipc::ConversationExportRequest& request) {
  if (request.conv_id.empty()) return ExportNext(asker, "", 0);
  parts_.store.GetConversation(asker.peer.uid, request.conv_id, parts_.clock.Wall(), std::nullopt,
                               Later<storage::Conversation>([this, asker](auto loaded) {
                                 if (!loaded)
                                   return Reply(asker,
                                                tl::unexpected(router::ToError(loaded.error())));
                                 ReplyLine(asker, ToLine(*loaded));
                                 Reply(asker, ipc::Value{{"lines", 1}});
                               }));
}

// Goes through all of the asker's conversations, one read at a time.
void Operations::ExportNext(const Asker& asker, const std::string& after, std::int64_t lines) {
  parts_.store.ListConversations(
      asker.peer.uid, "", "", after, 1, parts_.clock.Wall(),
      Later<std::vector<storage::ConversationInfo>>([this, asker, lines](auto found) {
        if (!found) return Reply(asker, tl::unexpected(router::ToError(found.error())));
        if (found->empty()) return Reply(asker, ipc::Value{{"lines", lines}});
        const std::string conv_id = found->front().conv_id;
        parts_.store.GetConversation(
            asker.peer.uid, conv_id, parts_.clock.Wall(), std::nullopt,
            Later<storage::Conversation>([this, asker, conv_id, lines](auto loaded) {
              if (loaded) ReplyLine(asker, ToLine(*loaded));
              ExportNext(asker, conv_id, lines + (loaded ? 1 : 0));
            }));
      }));
}

}  // namespace requestrouter::ops
