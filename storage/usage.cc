#include "storage/tables.h"

namespace requestrouter::storage {
namespace {

constexpr Millis kDay = 24 * 3'600'000;

}  // namespace

std::vector<UsageRow> ReadUsage(Database& database, const UsageQuery& query) {
  const std::string time = query.by_hour  ? "hour"
                           : query.by_day ? "hour - hour % " + std::to_string(kDay)
                                          : "0";
  const auto group = [](bool asked, const char* column) {
    return asked ? std::string(column) : std::string("''");
  };
  const std::string sql = "SELECT " + time + ", " + (query.by_caller ? "uid" : "0") + ", " +
                          group(query.by_agent, "agent") + ", " + group(query.by_user, "user_id") +
                          ", " + group(query.by_key, "key_id") + ", " +
                          group(query.by_model, "model") +
                          ", sum(requests), sum(errors), sum(input_tokens), sum(output_tokens),"
                          " sum(cached_tokens), sum(cost_nano_usd) FROM usage"
                          " WHERE hour >= ?1 - ?1 % 3600000 AND hour < ?2 AND (?3 < 0 OR uid = ?3)"
                          " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6";
  Statement rows = database.Prepare(sql);
  rows.Bind(1, query.since).Bind(2, query.until);
  rows.Bind(3, query.uid ? static_cast<std::int64_t>(*query.uid) : -1);
  std::vector<UsageRow> found;
  while (rows.Step()) {
    UsageRow row;
    row.at = rows.Integer(0);
    row.uid = static_cast<std::uint32_t>(rows.Integer(1));
    row.agent = rows.Text(2);
    row.user_id = rows.Text(3);
    row.key_id = rows.Text(4);
    row.model = rows.Text(5);
    row.requests = rows.Integer(6);
    row.errors = rows.Integer(7);
    row.input_tokens = rows.Integer(8);
    row.output_tokens = rows.Integer(9);
    row.cached_tokens = rows.Integer(10);
    row.cost_nano_usd = rows.Integer(11);
    found.push_back(std::move(row));
  }
  return found;
}

}  // namespace requestrouter::storage
