#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipc/chat.h"
#include "ipc/error.h"

// The requests of PROTOCOL.md as values, one struct an operation. Replies other than chat's are
// built as Value maps by the daemon's operations and read as such by routerctl.
namespace requestrouter::ipc {

struct PingRequest {};
struct CancelRequest {
  std::string id;
};
struct ModelsRequest {};
struct HealthRequest {};
struct ConversationGetRequest {
  std::string conv_id;
  std::optional<std::int64_t> limit;
  std::optional<std::uint32_t> uid;
};
struct ConversationListRequest {
  std::string prefix;
  std::string user_id;
  std::int64_t limit = 100;
  std::string after;
  std::optional<std::uint32_t> uid;
};
struct ConversationTruncateRequest {
  std::string conv_id;
  std::int64_t keep_last_n = 20;
};
struct ConversationDeleteRequest {
  std::string conv_id;
};
struct ConversationExportRequest {
  std::string conv_id;  // empty: all of the caller's own
};
struct KeysListRequest {};
struct KeysResetRequest {
  std::string key_id;  // exactly one of this and all
  bool all = false;
  bool counters = false;
};
struct KeysDisableRequest {
  std::string key_id;
};
struct KeysEnableRequest {
  std::string key_id;
};
struct ReloadRequest {};
enum class UsageGroup : std::uint8_t { kKey, kModel, kCaller, kAgent, kUser, kHour, kDay };
struct UsageRequest {
  std::optional<std::int64_t> since_ms;  // milliseconds since the Unix epoch
  std::optional<std::int64_t> until_ms;
  std::vector<UsageGroup> by;
};
struct ExplainRequest {
  std::string id;
  std::optional<std::uint32_t> uid;
};
struct QueueRequest {
  std::int64_t recent = 0;  // so many of the requests that are over, too
};
struct MetricsRequest {};
struct BackupRequest {
  std::string path;
};
struct RestoreRequest {
  std::string path;
};
struct CheckRequest {};

using Body =
    std::variant<ChatRequest, PingRequest, CancelRequest, ModelsRequest, HealthRequest,
                 ConversationGetRequest, ConversationListRequest, ConversationTruncateRequest,
                 ConversationDeleteRequest, ConversationExportRequest, KeysListRequest,
                 KeysResetRequest, KeysDisableRequest, KeysEnableRequest, ReloadRequest,
                 UsageRequest, ExplainRequest, QueueRequest, MetricsRequest, BackupRequest,
                 RestoreRequest, CheckRequest>;

struct Request {
  std::string id;
  std::int64_t deadline_ms = 120'000;
  Body body;
  // Hash of the decoded operation and body, the order of map keys not counting: two chat requests
  // with the same id are the same request if and only if their digests agree (guarantee 2).
  std::string body_digest;  // 16 bytes; empty for operations other than chat
};

struct Reply {
  std::string id;
  bool final = true;
  std::variant<Value, Error> outcome;  // the body map, or the error
};

}  // namespace requestrouter::ipc
