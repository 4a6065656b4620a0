#include <algorithm>

#include "daemon/ops/operations.h"
#include "daemon/router/errors.h"

namespace requestrouter::ops {
namespace {

using ipc::UsageGroup;

bool Has(const std::vector<UsageGroup>& groups, UsageGroup group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

storage::UsageQuery ToQuery(const ipc::UsageRequest& request) {
  storage::UsageQuery query;
  query.since = request.since_ms.value_or(0);
  query.until = request.until_ms.value_or(INT64_MAX);
  query.by_key = Has(request.by, UsageGroup::kKey);
  query.by_model = Has(request.by, UsageGroup::kModel);
  query.by_caller = Has(request.by, UsageGroup::kCaller);
  query.by_agent = Has(request.by, UsageGroup::kAgent);
  query.by_user = Has(request.by, UsageGroup::kUser);
  query.by_hour = Has(request.by, UsageGroup::kHour);
  query.by_day = Has(request.by, UsageGroup::kDay);
  return query;
}

ipc::Value ToValue(const storage::UsageRow& row, const storage::UsageQuery& query) {
  ipc::Value value = ipc::Value::object();
  if (query.by_key) value["key"] = row.key_id;
  if (query.by_model) value["model"] = row.model;
  if (query.by_caller) value["caller"] = "uid " + std::to_string(row.uid);
  if (query.by_agent) value["agent"] = row.agent;
  if (query.by_user) value["user"] = row.user_id;
  if (query.by_hour) value["hour"] = router::Timestamp(row.at);
  if (query.by_day) value["day"] = router::Timestamp(row.at).substr(0, 10);
  value["requests"] = row.requests;
  value["errors"] = row.errors;
  value["input_tokens"] = row.input_tokens;
  value["output_tokens"] = row.output_tokens;
  value["cached_tokens"] = row.cached_tokens;
  value["cost_usd"] = static_cast<double>(row.cost_nano_usd) / 1e9;
  return value;
}

}  // namespace

void Operations::On(const Asker& asker, const ipc::UsageRequest& request) {
  storage::UsageQuery query = ToQuery(request);
  if (!asker.is_admin) query.uid = asker.peer.uid;
  parts_.store.QueryUsage(query,
                          Later<std::vector<storage::UsageRow>>([this, asker, query](auto found) {
                            if (!found)
                              return Reply(asker, tl::unexpected(router::ToError(found.error())));
                            ipc::Value rows = ipc::Value::array();
                            for (const storage::UsageRow& row : *found)
                              rows.push_back(ToValue(row, query));
                            Reply(asker, ipc::Value{{"rows", std::move(rows)}});
                          }));
}

void Operations::On(const Asker& asker, const ipc::BackupRequest& request) {
  const policy::Instant began = parts_.clock.Steady();
  parts_.store.BackUp(request.path, Later<storage::Written>([this, asker, began](auto written) {
                        if (!written)
                          return Reply(asker, tl::unexpected(router::ToError(written.error())));
                        const auto took = router::ElapsedMs(parts_.clock.Steady() - began);
                        Reply(asker, ipc::Value{{"bytes", written->count}, {"duration_ms", took}});
                      }));
}

void Operations::On(const Asker& asker, const ipc::RestoreRequest& request) {
  const policy::Instant began = parts_.clock.Steady();
  parts_.store.Submit(storage::Restore{request.path, parts_.clock.Wall()},
                      storage::Durability::kFull,
                      Later<storage::Written>([this, asker, began](auto written) {
                        if (!written)
                          return Reply(asker, tl::unexpected(router::ToError(written.error())));
                        const auto took = router::ElapsedMs(parts_.clock.Steady() - began);
                        Reply(asker, ipc::Value{{"conversations", written->count},
                                                {"messages", written->left},
                                                {"duration_ms", took}});
                      }));
}

void Operations::On(const Asker& asker, const ipc::CheckRequest&) {
  const policy::Instant began = parts_.clock.Steady();
  parts_.store.Check(storage::CheckDepth::kFull,
                     Later<std::vector<std::string>>([this, asker, began](auto problems) {
                       if (!problems)
                         return Reply(asker, tl::unexpected(router::ToError(problems.error())));
                       const auto took = router::ElapsedMs(parts_.clock.Steady() - began);
                       Reply(asker, ipc::Value{{"problems", *problems}, {"duration_ms", took}});
                     }));
}

void Operations::On(const Asker& asker, const ipc::ReloadRequest&) {
  parts_.reload([this, asker](ipc::Result<Reloaded> reloaded) {
    if (!reloaded) return Reply(asker, tl::unexpected(reloaded.error()));
    Reply(asker, ipc::Value{{"changed", reloaded->changed}, {"warnings", reloaded->warnings}});
  });
}

}  // namespace requestrouter::ops
