#include <array>
#include <chrono>
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

void ShowTimeline(const Console& console, const Value& rows) {
  Table table({{"AT"}, {"EVENT"}, {"DETAILS"}});
  for (const Value& row : rows) {
    table.Add({ReadText(row, "at"), ReadText(row, "event"), Rest(row, {"at", "event"})});
  }
  if (!table.empty()) console.Print("\n" + table.Text(console.Escape(Style::kBold)));
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
    table.Add({ReadText(row, "key_id"), ReadText(row, "model"), ReadText(row, "verdict"),
               ReadText(row, "until")});
  }
  if (!table.empty()) console.Print("\n" + table.Text(console.Escape(Style::kBold)));
}

int ShowExplanation(const Console& console, const Value& body) {
  console.Print(Printable("request " + ReadText(body, "id") + " of " +
                          Cell(ReadChild(body, "caller")) + ": " + ReadText(body, "state")) +
                "\n");
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
