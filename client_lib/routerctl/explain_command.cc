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

}  // namespace

void AddExplainCommand(CommandSet& set) {
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

}  // namespace requestrouter::routerctl
