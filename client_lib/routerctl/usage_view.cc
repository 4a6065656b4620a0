#include "client_lib/routerctl/usage_view.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "client_lib/routerctl/bar.h"
#include "client_lib/routerctl/cells.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadChild;
using client::ReadText;
using ipc::Value;
using std::chrono::days;
using std::chrono::sys_days;

constexpr std::array<const char*, 6> kCounters = {"requests",      "errors",        "input_tokens",
                                                  "output_tokens", "cached_tokens", "cost_usd"};
constexpr std::size_t kBarWidth = 10;
constexpr int kMostDays = 30;

bool IsCounter(const std::string& name) {
  return std::find(kCounters.begin(), kCounters.end(), name) != kCounters.end();
}

std::string Upper(std::string text) {
  for (char& c : text) c = c == '_' ? ' ' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  return text;
}

// The names that rows are grouped by: whatever is in them besides the counters.
std::vector<std::string> GroupsOf(const Value& rows) {
  std::vector<std::string> groups;
  if (rows.empty()) return groups;
  for (const auto& [name, value] : rows.front().items()) {
    if (!IsCounter(name)) groups.push_back(name);
  }
  return groups;
}

std::vector<std::string> GroupCells(const Value& row, const std::vector<std::string>& groups) {
  std::vector<std::string> cells;
  for (const std::string& group : groups) cells.push_back(Cell(ReadChild(row, group)));
  return cells;
}

double Number(const Value& row, const char* name) {
  const Value& value = ReadChild(row, name);
  return value.is_number() ? value.get<double>() : 0;
}

double Tokens(const Value& row) {
  return Number(row, "input_tokens") + Number(row, "output_tokens");
}
double Requests(const Value& row) { return Number(row, "requests"); }

// What bars and sparklines are of.
using Measure = double (*)(const Value& row);

Measure MeasureOf(const Value& rows) {
  const auto used = [](const Value& row) { return Tokens(row) > 0; };
  return std::any_of(rows.begin(), rows.end(), used) ? Tokens : Requests;
}

double Total(const Value& rows, Measure measure) {
  double total = 0;
  for (const Value& row : rows) total += measure(row);
  return total;
}

Value Sum(const Value& rows, const char* counter) {
  Value sum = 0;
  for (const Value& row : rows) {
    const Value& value = ReadChild(row, counter);
    if (value.is_number_integer() && sum.is_number_integer()) {
      sum = sum.get<std::int64_t>() + value.get<std::int64_t>();
    } else if (value.is_number()) {
      sum = sum.get<double>() + value.get<double>();
    }
  }
  return sum;
}

std::string ShareCell(double share, bool utf8) {
  const std::string percent = std::to_string(std::lround(share * 100)) + "%";
  return Bar(share, kBarWidth, utf8) +
         std::string(5 - std::min<std::size_t>(5, percent.size()), ' ') + percent;
}

sys_days LastDay(const UsageView& view) {
  return std::chrono::floor<days>(view.until - std::chrono::milliseconds(1));
}

// The measure of every day of the period, of each row by its groups.
class Days {
 public:
  Days(const UsageView& view, const Value& rows, const std::vector<std::string>& groups,
       Measure measure) {
    const sys_days last = LastDay(view);
    first_ = std::chrono::floor<days>(FirstShown(view));
    count_ = static_cast<std::size_t>((last - first_).count()) + 1;
    for (const Value& row : rows) {
      const auto at = ParseTime(ReadText(row, "day") + "T00:00:00Z");
      if (!at || *at < first_ || *at >= last + days(1)) continue;
      const auto day = static_cast<std::size_t>((std::chrono::floor<days>(*at) - first_).count());
      const double value = measure(row);
      Of(GroupCells(row, groups))[day] += value;
      Of({})[day] += value;
    }
  }

  // The values of the row with these groups; of all rows for none.
  std::vector<double>& Of(const std::vector<std::string>& groups) {
    std::vector<double>& values = values_[groups];
    values.resize(count_);
    return values;
  }

 private:
  sys_days first_;
  std::size_t count_ = 0;
  std::map<std::vector<std::string>, std::vector<double>> values_;
};

}  // namespace

bool ManyDays(const UsageView& view, const Value& rows) {
  for (const std::string& group : GroupsOf(rows)) {
    if (group == "day" || group == "hour") return false;
  }
  return std::chrono::floor<days>(view.since) < LastDay(view);
}

std::chrono::system_clock::time_point FirstShown(const UsageView& view) {
  return std::max<std::chrono::system_clock::time_point>(view.since,
                                                         LastDay(view) - days(kMostDays - 1));
}

std::string UsageTable(const UsageView& view, const Value& rows, const Value& daily) {
  const std::vector<std::string> groups = GroupsOf(rows);
  const Measure measure = MeasureOf(rows);
  const double total = Total(rows, measure);
  Days by_day(view, daily, groups, measure);
  std::vector<Table::Column> columns;
  for (const std::string& group : groups) columns.push_back({Upper(group)});
  for (const char* name : kCounters) columns.push_back({Upper(name), Table::Align::kRight});
  columns.push_back({measure == Tokens ? "SHARE OF TOKENS" : "SHARE OF REQUESTS"});
  if (!daily.is_null())
    columns.push_back({measure == Tokens ? "TOKENS BY DAY" : "REQUESTS BY DAY"});
  Table table(std::move(columns));
  for (const Value& row : rows) {
    std::vector<std::string> cells = GroupCells(row, groups);
    const std::vector<double>& values = by_day.Of(cells);
    for (const char* name : kCounters) cells.push_back(Cell(ReadChild(row, name)));
    cells.push_back(ShareCell(total > 0 ? measure(row) / total : 0, view.utf8));
    if (!daily.is_null()) cells.push_back(Sparkline(values, view.utf8));
    table.Add(std::move(cells));
  }
  if (rows.size() > 1 && !groups.empty()) {
    std::vector<std::string> cells(groups.size());
    cells.front() = "total";
    for (const char* name : kCounters) cells.push_back(Cell(Sum(rows, name)));
    cells.emplace_back();
    if (!daily.is_null()) cells.push_back(Sparkline(by_day.Of({}), view.utf8));
    table.Add(std::move(cells), view.header_style);
  }
  return table.Text(view.header_style);
}

std::string UsagePeriod(const UsageView& view, std::chrono::system_clock::time_point now) {
  const auto minute = [](std::chrono::system_clock::time_point at) {
    std::string text = FormatTime(at).substr(0, 16);
    text[10] = ' ';
    return text;
  };
  const bool past = view.until < now;
  return "from " + minute(view.since) +
         (past ? " to " + minute(view.until) + " UTC" : " UTC until now");
}

}  // namespace requestrouter::routerctl
