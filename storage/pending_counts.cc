#include <string_view>

#include "storage/tables.h"

// Counts that are not added up yet.
namespace requestrouter::storage {
namespace {

// `start`: of the count that a second's belongs to.
std::string SumsOfQuota(const std::string& table, const std::string& start) {
  return "INSERT INTO " + table + " SELECT " + start +
         ", quota_group, model, sum(requests), sum(input_tokens), sum(output_tokens),"
         " sum(counted_tokens) FROM pending_counts"
         " WHERE attempt_ids IS NOT NULL AND requests > 0 GROUP BY 1, 2, 3" +
         kAddToQuotaCount;
}

}  // namespace

void SavePending(Database& database, const QuotaCount& count,
                 std::span<const std::int64_t> closed) {
  const std::string_view attempt_ids(reinterpret_cast<const char*>(closed.data()),
                                     closed.size_bytes());
  database
      .Prepare(
          "INSERT INTO pending_counts (start, model, requests, input_tokens, output_tokens,"
          " attempt_ids, quota_group, counted_tokens) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, count.start)
      .Bind(2, std::string_view(count.model))
      .Bind(3, count.requests)
      .Bind(4, count.input_tokens)
      .Bind(5, count.output_tokens)
      .BindBlob(6, attempt_ids)
      .Bind(7, std::string_view(count.quota_group))
      .Bind(8, count.counted_tokens)
      .Run();
}

void SavePending(Database& database, const Usage& usage) {
  database
      .Prepare(
          "INSERT INTO pending_counts (start, model, requests, input_tokens, output_tokens, uid,"
          " agent, user_id, key_id, errors, cached_tokens, cost_nano_usd)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .Bind(1, HourOf(usage.at))
      .Bind(2, std::string_view(usage.model))
      .Bind(3, usage.requests)
      .Bind(4, usage.input_tokens)
      .Bind(5, usage.output_tokens)
      .Bind(6, usage.uid)
      .Bind(7, std::string_view(usage.agent))
      .Bind(8, std::string_view(usage.user_id))
      .Bind(9, std::string_view(usage.key_id))
      .Bind(10, usage.errors)
      .Bind(11, usage.cached_tokens)
      .Bind(12, usage.cost_nano_usd)
      .Run();
}

void AddUpPending(Database& database) {
  for (const std::string& sql : {
           SumsOfQuota("quota_seconds", "start"),
           SumsOfQuota("quota_minutes", "start - start % 60000"),
           std::string(
               "INSERT INTO usage SELECT start, uid, agent, user_id, key_id, model, sum(requests),"
               " sum(errors), sum(input_tokens), sum(output_tokens), sum(cached_tokens),"
               " sum(cost_nano_usd) FROM pending_counts WHERE attempt_ids IS NULL"
               " GROUP BY 1, 2, 3, 4, 5, 6"
               " ON CONFLICT DO UPDATE SET requests = requests + excluded.requests,"
               " errors = errors + excluded.errors,"
               " input_tokens = input_tokens + excluded.input_tokens,"
               " output_tokens = output_tokens + excluded.output_tokens,"
               " cached_tokens = cached_tokens + excluded.cached_tokens,"
               " cost_nano_usd = cost_nano_usd + excluded.cost_nano_usd"),
           std::string("INSERT INTO closings (attempt_ids) SELECT attempt_ids FROM pending_counts"
                       " WHERE attempt_ids IS NOT NULL"),
           std::string("DELETE FROM pending_counts"),
       }) {
    database.Prepare(sql).Run();
  }
}

}  // namespace requestrouter::storage
