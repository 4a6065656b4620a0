#include <chrono>
#include <utility>

#include "client_lib/routerctl/cells.h"
#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/routerctl/waiting_table.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadBool;
using client::ReadChild;
using client::ReadInt;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;
using std::chrono::milliseconds;
using Style = Console::Style;

std::string OkOr(const Console& console, bool fine, const std::string& otherwise) {
  return fine ? console.Styled(Style::kGreen, "ok") : console.Styled(Style::kRed, otherwise);
}

std::string KeysLine(const Console& console, const Value& body) {
  const Value& keys = ReadChild(body, "key_manager");
  std::string line = Count(ReadInt(keys, "active_keys")) + " of " +
                     Count(ReadInt(keys, "total_keys")) + " active, ";
  const std::int64_t cooling = ReadInt(keys, "keys_in_cooldown");
  return line +
         console.Styled(cooling > 0 ? Style::kYellow : Style::kPlain, Count(cooling) + " cooling");
}

int ShowHealth(const Console& console, const Value& body) {
  const bool healthy = ReadBool(body, "healthy");
  const Value& storage = ReadChild(body, "storage");
  const Value& queue = ReadChild(body, "queue");
  console.Print(
      console.Styled(healthy ? Style::kGreen : Style::kRed, healthy ? "healthy" : "unhealthy") +
      "\n  routerd        " + Printable(ReadText(body, "version")) + ", up " +
      Duration(milliseconds(ReadInt(body, "uptime_ms"))) + "\n  keys           " +
      KeysLine(console, body) + "\n  storage        " + Printable(ReadText(storage, "engine")) +
      ", " + OkOr(console, ReadBool(storage, "healthy"), "not writable") + "\n  conversations  " +
      OkOr(console, ReadBool(body, "conversation_store"), "not available") + "\n  queue          " +
      Count(ReadInt(queue, "waiting")) + " waiting, " + Count(ReadInt(queue, "in_flight")) +
      " in flight\n");
  return healthy ? kFine : kRefused;
}

int Health(const Console& console, Daemon& daemon) {
  const auto body = daemon.Ask("health", Value::object());
  if (!body) return console.Fail(body.error());
  if (!console.json()) return ShowHealth(console, *body);
  console.PrintJson(*body);
  return ReadBool(*body, "healthy") ? kFine : kRefused;
}

int Ping(const Console& console, Daemon& daemon) {
  const auto before = std::chrono::steady_clock::now();
  const auto body = daemon.Ask("ping", Value::object());
  const auto took = std::chrono::steady_clock::now() - before;
  if (!body) return console.Fail(body.error());
  if (console.json()) {
    console.PrintJson(*body);
    return kFine;
  }
  console.Print("routerd " + Printable(ReadText(*body, "version")) + ", up " +
                Duration(milliseconds(ReadInt(*body, "uptime_ms"))) + ", answered in " +
                Duration(std::chrono::ceil<milliseconds>(took)) + "\n");
  return kFine;
}

int ShowModels(const Console& console, const Value& body) {
  Table table({{"MODEL"},
               {"PROVIDER"},
               {"KEYS", Table::Align::kRight},
               {"WORKLOAD"},
               {"AVAILABLE"},
               {"CAPABILITIES"}});
  for (const Value& row : ReadChild(body, "models")) {
    const bool available = ReadBool(row, "available");
    table.Add({ReadText(row, "model"), ReadText(row, "provider"), Count(ReadInt(row, "keys")),
               ReadText(row, "workload"), available ? "yes" : "no",
               Joined(ReadTexts(row, "capabilities"))},
              available ? "" : console.Escape(Style::kYellow));
  }
  console.Print(table.Text(console.Escape(Style::kBold)));
  return kFine;
}

Table InFlightTable(const Value& rows) {
  Table table({{"RUNNING", Table::Align::kRight},
               {"KEY"},
               {"MODEL"},
               {"PRIORITY"},
               {"CALLER"},
               {"AGENT"},
               {"ID"}});
  for (const Value& row : rows) {
    table.Add({DurationCell(row, "running_ms"), ReadText(row, "key_id"), ReadText(row, "model"),
               ReadText(row, "priority"), Cell(ReadChild(row, "caller")), ReadText(row, "agent"),
               ReadText(row, "id")});
  }
  return table;
}

void ShowPart(const Console& console, const Value& rows, const std::string& what,
              const Table& table) {
  console.Print(Count(static_cast<std::int64_t>(rows.size())) + " " + what + "\n");
  if (!table.empty()) console.Print(table.Text(console.Escape(Style::kBold)));
}

int ShowQueue(const Console& console, const Value& body) {
  const Value& waiting = ReadChild(body, "waiting");
  const Value& in_flight = ReadChild(body, "in_flight");
  ShowPart(console, waiting, "waiting for a key with room", WaitingTable(waiting));
  ShowPart(console, in_flight, "in flight, at a provider", InFlightTable(in_flight));
  if (!waiting.empty()) {
    console.Print(
        "`routerctl keys` shows which limits are used up, `routerctl explain ID` what a "
        "request waits for\n");
  }
  return kFine;
}

int ShowMetrics(const Console& console, const Value& body) {
  console.Print(ReadText(body, "text"));
  return kFine;
}

void AddQuery(CommandSet& set, const std::string& op, CLI::App* command, Show show) {
  set.Run(command, [op, show = std::move(show)](const Console& console, Daemon& daemon) {
    return AskAndShow(console, daemon, op, Value::object(), show);
  });
}

}  // namespace

void AddStatusCommands(CommandSet& set) {
  set.Run(set.Add("health", "Is the daemon well? Exit code 1 where it is not",
                  "  routerctl health\n"
                  "  routerctl health --json | jq .key_manager\n"
                  "  routerctl health >/dev/null || echo \"call somebody\""),
          Health);
  set.Run(set.Add("ping", "Does the daemon answer, which version, how fast", "  routerctl ping"),
          Ping);
  AddQuery(set, "models",
           set.Add("models", "The models that the keys serve",
                   "  routerctl models\n"
                   "  routerctl models --json | jq -r '.models[] | select(.available) | .model'"),
           ShowModels);
  AddQuery(set, "queue",
           set.Add("queue", "Who waits for capacity and what is in flight",
                   "  routerctl queue\n  watch routerctl queue"),
           ShowQueue);
  AddQuery(
      set, "metrics",
      set.Add("metrics", "All counters as Prometheus text", "  routerctl metrics | grep cooldown"),
      ShowMetrics);
}

}  // namespace requestrouter::routerctl
