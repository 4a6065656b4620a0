#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <set>

#include "client_lib/routerctl/cells.h"
#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadChild;
using client::ReadText;
using ipc::Value;
using std::chrono::system_clock;
using Style = Console::Style;

constexpr std::array<const char*, 6> kCounters = {"requests",      "errors",        "input_tokens",
                                                  "output_tokens", "cached_tokens", "cost_usd"};

bool IsCounter(const std::string& name) {
  for (const char* counter : kCounters) {
    if (name == counter) return true;
  }
  return false;
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

// The sum of every counter, in a last row.
void AddTotal(const Console& console, Table& table, const Value& rows, std::size_t groups) {
  std::vector<std::string> cells(groups);
  cells.front() = "total";
  for (const char* name : kCounters) {
    Value sum = 0;
    for (const Value& row : rows) {
      const Value& value = ReadChild(row, name);
      if (value.is_number_integer() && sum.is_number_integer()) {
        sum = sum.get<std::int64_t>() + value.get<std::int64_t>();
      } else if (value.is_number()) {
        sum = sum.get<double>() + value.get<double>();
      }
    }
    cells.push_back(Cell(sum));
  }
  table.Add(std::move(cells), console.Escape(Style::kBold));
}

int ShowUsage(const Console& console, const Value& body) {
  const Value& rows = ReadChild(body, "rows");
  const std::vector<std::string> groups = GroupsOf(rows);
  std::vector<Table::Column> columns;
  for (const std::string& group : groups) columns.push_back({Upper(group)});
  for (const char* name : kCounters) columns.push_back({Upper(name), Table::Align::kRight});
  Table table(std::move(columns));
  for (const Value& row : rows) {
    std::vector<std::string> cells;
    for (const std::string& group : groups) cells.push_back(Cell(ReadChild(row, group)));
    for (const char* name : kCounters) cells.push_back(Cell(ReadChild(row, name)));
    table.Add(std::move(cells));
  }
  if (rows.size() > 1 && !groups.empty()) AddTotal(console, table, rows, groups.size());
  console.Print(table.Text(console.Escape(Style::kBold)));
  return kFine;
}

struct UsageOptions {
  std::string since;
  std::string until;
  std::vector<std::string> by{"key", "model"};
};

int Usage(const Console& console, Daemon& daemon, const UsageOptions& options) {
  Value body = {{"by", options.by}};
  const std::array<std::pair<const char*, const std::string*>, 2> bounds = {
      {{"since", &options.since}, {"until", &options.until}}};
  for (const auto& [name, text] : bounds) {
    if (text->empty()) continue;
    const auto time = ParseSince(*text, system_clock::now());
    if (!time) {
      return console.FailUsage(std::string("--") + name + " is none of 15m, 12h, 7d, today or " +
                               "2026-01-31T12:00:00Z");
    }
    body[name] = *time;
  }
  return AskAndShow(console, daemon, "usage", body, ShowUsage);
}

void AddUsage(CommandSet& set) {
  CLI::App* command = set.Add("usage", "What was used: requests, errors, tokens, cost",
                              "  routerctl usage --since today\n"
                              "  routerctl usage --by agent --since 7d\n"
                              "  routerctl usage --by day,model --since 30d --json");
  auto options = std::make_shared<UsageOptions>();
  command->add_option("--by", options->by, "Group by any of these, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"key", "model", "caller", "agent", "user", "hour", "day"}))
      ->capture_default_str();
  command->add_option("--since", options->since,
                      "From then on: 90s, 15m, 12h, 7d, today or a time");
  command->add_option("--until", options->until, "Up to then, in the same forms");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    return Usage(console, daemon, *options);
  });
}

// The entry without the columns that have been shown already.
std::string Rest(const Value& row, const std::set<std::string>& shown) {
  Value rest = Value::object();
  for (const auto& [name, value] : row.items()) {
    if (!shown.contains(name)) rest[name] = value;
  }
  return Cell(rest);
}

// "12:00:01.250" by the local clock.
std::string ClockCell(system_clock::time_point at) {
  const std::time_t seconds = system_clock::to_time_t(at);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 16> text;
  std::strftime(text.data(), text.size(), "%H:%M:%S", &parts);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(at.time_since_epoch());
  std::string fraction = std::to_string(ms.count() % 1'000);
  return std::string(text.data()) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

// The first event by the clock, the others by what passed since it.
void ShowTimeline(const Console& console, const Value& rows) {
  Table table({{"AT", Table::Align::kRight}, {"EVENT"}, {"DETAILS"}});
  std::optional<system_clock::time_point> first;
  for (const Value& row : rows) {
    const std::string text = ReadText(row, "at");
    const auto at = ParseTime(text);
    std::string cell = text;
    if (at && first) {
      cell = "+" + Duration(std::chrono::duration_cast<std::chrono::milliseconds>(*at - *first));
    } else if (at) {
      cell = ClockCell(*at);
      first = at;
    }
    const Value& detail = ReadChild(row, "detail");
    table.Add({cell, ReadText(row, "event"),
               detail.is_string() ? detail.get<std::string>() : Rest(row, {"at", "event"})});
  }
  if (!table.empty()) console.Print("\n" + table.Text(console.Escape(Style::kBold)));
}

// Where the time went, in a sentence.
std::string Summary(const Value& body) {
  const Value& attempts = ReadChild(body, "attempts");
  if (attempts.empty()) return "It has not been sent to any key.";
  std::int64_t waited = 0, took = 0;
  for (const Value& attempt : attempts) {
    waited += client::ReadInt(attempt, "waited_ms");
    took += client::ReadInt(attempt, "duration_ms");
  }
  const auto duration = [](std::int64_t ms) { return Duration(std::chrono::milliseconds(ms)); };
  const Value& last = attempts.back();
  const std::size_t count = attempts.size();
  return "It waited " + duration(waited) + " for a key with room and spent " + duration(took) +
         " at providers, in " + std::to_string(count) + (count == 1 ? " attempt" : " attempts") +
         "; the last was by key " + ReadText(last, "key_id") + " (" + ReadText(last, "model") +
         "): " + ReadText(last, "outcome") + ".";
}

void ShowAttempts(const Console& console, const Value& rows) {
  Table table({{"ATTEMPT", Table::Align::kRight},
               {"KEY"},
               {"MODEL"},
               {"OUTCOME"},
               {"STATUS", Table::Align::kRight},
               {"WAITED", Table::Align::kRight},
               {"TOOK", Table::Align::kRight}});
  for (const Value& row : rows) {
    table.Add({Cell(ReadChild(row, "n")), ReadText(row, "key_id"), ReadText(row, "model"),
               ReadText(row, "outcome"), Cell(ReadChild(row, "status")),
               DurationCell(row, "waited_ms"), DurationCell(row, "duration_ms")});
  }
  if (!table.empty()) console.Print("\n" + table.Text(console.Escape(Style::kBold)));
}

void ShowConsidered(const Console& console, const Value& rows) {
  Table table({{"CONSIDERED"}, {"MODEL"}, {"VERDICT"}, {"UNTIL"}});
  for (const Value& row : rows) {
    const std::string until = ReadText(row, "until");
    table.Add({ReadText(row, "key_id"), ReadText(row, "model"), ReadText(row, "verdict"),
               until.empty() ? "" : Relative(until, system_clock::now())});
  }
  if (!table.empty()) console.Print("\n" + table.Text(console.Escape(Style::kBold)));
}

int ShowExplanation(const Console& console, const Value& body) {
  console.Print(Printable("request " + ReadText(body, "id") + " of " +
                          Cell(ReadChild(body, "caller")) + ": " + ReadText(body, "state")) +
                "\n" + Printable(Summary(body)) + "\n");
  ShowTimeline(console, ReadChild(body, "timeline"));
  ShowAttempts(console, ReadChild(body, "attempts"));
  ShowConsidered(console, ReadChild(body, "considered"));
  return kFine;
}

void AddExplain(CommandSet& set) {
  struct Options {
    std::string id;
    std::optional<std::uint32_t> uid;
  };
  CLI::App* command =
      set.Add("explain", "Why a request waited, which keys were considered, what was tried",
              "  routerctl queue\n  routerctl explain 4f1c2a…");
  auto options = std::make_shared<Options>();
  command->add_option("ID", options->id, "The request's id")->required();
  command->add_option("--uid", options->uid, "Another user's (administrators)");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    Value body = {{"id", options->id}};
    if (options->uid) body["uid"] = *options->uid;
    return AskAndShow(console, daemon, "explain", body, ShowExplanation);
  });
}

}  // namespace

void AddReportCommands(CommandSet& set) {
  AddUsage(set);
  AddExplain(set);
}

}  // namespace requestrouter::routerctl
