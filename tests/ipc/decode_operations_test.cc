#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "payloads.h"

namespace requestrouter::ipc {
namespace {

using ::testing::ElementsAre;
using ::testing::StartsWith;

template <typename T>
T As(const std::string& op, Value body) {
  auto request = Decode(op, std::move(body));
  if (request && std::holds_alternative<T>(request->body)) return std::get<T>(request->body);
  ADD_FAILURE() << (request ? "another operation" : request.error().error.message);
  return {};
}

std::string Mistake(const std::string& op, Value body) {
  const auto request = Decode(op, std::move(body));
  if (request) return "accepted";
  EXPECT_EQ(request.error().error.type, ErrorType::kInvalidRequest);
  return request.error().error.message;
}

TEST(DecodeOperations, ThoseWithoutABodyNeedNone) {
  const Value none = Value::object();
  As<PingRequest>("ping", none);
  As<ModelsRequest>("models", none);
  As<HealthRequest>("health", none);
  As<KeysListRequest>("keys.list", none);
  As<ReloadRequest>("reload", none);
  As<QueueRequest>("queue", none);
  As<MetricsRequest>("metrics", none);
}

TEST(DecodeOperations, CancelAndExplainNameARequest) {
  EXPECT_EQ(As<CancelRequest>("cancel", {{"id", "r-0"}}).id, "r-0");
  const auto explain = As<ExplainRequest>("explain", {{"id", "r-0"}, {"uid", 1000}});
  EXPECT_EQ(explain.id, "r-0");
  EXPECT_EQ(explain.uid, 1000u);
  EXPECT_THAT(Mistake("cancel", Value::object()), StartsWith("body.id: is required"));
  EXPECT_THAT(Mistake("explain", {{"id", std::string(129, 'x')}}), StartsWith("body.id: "));
}

TEST(DecodeOperations, AUidIsWhatTheKernelHas) {
  EXPECT_EQ(As<ExplainRequest>("explain", {{"id", "r"}, {"uid", 4294967295}}).uid, 4294967295u);
  EXPECT_THAT(Mistake("explain", {{"id", "r"}, {"uid", 4294967296}}), StartsWith("body.uid: "));
  EXPECT_THAT(Mistake("explain", {{"id", "r"}, {"uid", -1}}), StartsWith("body.uid: "));
}

TEST(DecodeOperations, ConversationsAreReadListedTruncatedDeletedAndExported) {
  const auto get = As<ConversationGetRequest>("conversation.get", {{"conv_id", "c"}});
  EXPECT_EQ(get.conv_id, "c");
  EXPECT_FALSE(get.limit);
  EXPECT_FALSE(get.uid);
  EXPECT_EQ(As<ConversationGetRequest>("conversation.get", {{"conv_id", "c"}, {"limit", 5}}).limit,
            5);
  const auto list = As<ConversationListRequest>(
      "conversation.list",
      {{"prefix", "planner_"}, {"user_id", "u"}, {"limit", 7}, {"after", "a"}, {"uid", 0}});
  EXPECT_EQ(list.prefix, "planner_");
  EXPECT_EQ(list.user_id, "u");
  EXPECT_EQ(list.limit, 7);
  EXPECT_EQ(list.after, "a");
  EXPECT_EQ(list.uid, 0u);
  EXPECT_EQ(As<ConversationListRequest>("conversation.list", Value::object()).limit, 100);
  const auto truncate =
      As<ConversationTruncateRequest>("conversation.truncate", {{"conv_id", "c"}});
  EXPECT_EQ(truncate.keep_last_n, 20);
  EXPECT_EQ(As<ConversationDeleteRequest>("conversation.delete", {{"conv_id", "c"}}).conv_id, "c");
  EXPECT_EQ(As<ConversationExportRequest>("conversation.export", Value::object()).conv_id, "");
}

TEST(DecodeOperations, AConversationIsNamed) {
  for (const char* op : {"conversation.get", "conversation.truncate", "conversation.delete"}) {
    EXPECT_THAT(Mistake(op, Value::object()), StartsWith("body.conv_id: is required")) << op;
  }
  EXPECT_THAT(Mistake("conversation.truncate", {{"conv_id", "c"}, {"keep_last_n", -1}}),
              StartsWith("body.keep_last_n: must be an int from 0"));
  EXPECT_THAT(Mistake("conversation.list", {{"limit", 0}}), StartsWith("body.limit: "));
}

TEST(DecodeOperations, AResetNamesOneKeyOrAll) {
  const auto one = As<KeysResetRequest>("keys.reset", {{"key_id", "k"}, {"counters", true}});
  EXPECT_EQ(one.key_id, "k");
  EXPECT_FALSE(one.all);
  EXPECT_TRUE(one.counters);
  EXPECT_TRUE(As<KeysResetRequest>("keys.reset", {{"all", true}}).all);
  const auto neither = StartsWith("body.key_id: exactly one of key_id and all");
  EXPECT_THAT(Mistake("keys.reset", Value::object()), neither);
  EXPECT_THAT(Mistake("keys.reset", {{"all", false}}), neither);
  EXPECT_THAT(Mistake("keys.reset", {{"key_id", "k"}, {"all", true}}), neither);
}

TEST(DecodeOperations, AKeyIsDisabledAndEnabled) {
  EXPECT_EQ(As<KeysDisableRequest>("keys.disable", {{"key_id", "k"}}).key_id, "k");
  EXPECT_EQ(As<KeysEnableRequest>("keys.enable", {{"key_id", "k"}}).key_id, "k");
  EXPECT_THAT(Mistake("keys.disable", Value::object()), StartsWith("body.key_id: is required"));
}

TEST(DecodeOperations, UsageIsOfASpanAndGrouped) {
  const auto usage = As<UsageRequest>("usage", {{"since", "1970-01-01T00:00:01.500Z"},
                                                {"until", "1970-01-01T01:00:02+01:00"},
                                                {"by", {"model", "day", "model"}}});
  EXPECT_EQ(usage.since_ms, 1500);
  EXPECT_EQ(usage.until_ms, 2000);
  EXPECT_THAT(usage.by, ElementsAre(UsageGroup::kModel, UsageGroup::kDay));
  EXPECT_FALSE(As<UsageRequest>("usage", Value::object()).since_ms);
}

TEST(DecodeOperations, UsageOfNoSpanOrGroupIsRefused) {
  EXPECT_EQ(Mistake("usage", {{"since", "yesterday"}}),
            "body.since: must be an RFC 3339 instant such as 2026-01-31T12:00:00.000Z, is "
            "\"yesterday\"");
  EXPECT_EQ(Mistake("usage", {{"since", 0}}), "body.since: must be a str, is an int");
  EXPECT_EQ(
      Mistake("usage", {{"since", "1970-01-01T00:00:02Z"}, {"until", "1970-01-01T00:00:01Z"}}),
      "body.until: must not be before since");
  EXPECT_EQ(Mistake("usage", {{"by", {"key", "colour"}}}),
            "body.by[1]: must be one of key, model, caller, agent, user, hour, day, is \"colour\"");
  EXPECT_EQ(Mistake("usage", {{"by", {7}}}),
            "body.by[0]: must be one of key, model, caller, agent, user, hour, day, is an int");
  EXPECT_THAT(Mistake("usage", {{"by", "key"}}), StartsWith("body.by: must be an array"));
}

TEST(DecodeOperations, ARestoreHasAPath) {
  EXPECT_EQ(As<RestoreRequest>("restore", {{"path", "/tmp/x"}}).path, "/tmp/x");
  EXPECT_THAT(Mistake("restore", Value::object()), StartsWith("body.path: is required"));
}

TEST(DecodeOperations, ABackupHasAPath) {
  EXPECT_EQ(As<BackupRequest>("backup", {{"path", "/tmp/x"}}).path, "/tmp/x");
  EXPECT_THAT(Mistake("backup", {{"path", ""}}), StartsWith("body.path: is required"));
}

}  // namespace
}  // namespace requestrouter::ipc
