#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/key_cells.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadChild;
using client::ReadInt;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;

std::string DayReset(const Value& usage) {
  for (const char* day : {"rpd", "tpd"}) {
    const std::string at = ReadText(ReadChild(usage, day), "resets_at");
    if (!at.empty()) return Relative(at, std::chrono::system_clock::now());
  }
  return "-";
}

// One row a model of the key; the key's own cells stand in the first.
void AddKey(const Console& console, const std::vector<Window>& windows, Table& table,
            const Value& key) {
  const Value& usage = ReadChild(key, "usage");
  std::vector<std::string> models = ReadTexts(key, "models");
  if (models.empty()) models.emplace_back("-");
  bool first = true;
  for (const std::string& model : models) {
    const Value& counters = ReadChild(usage, model);
    std::vector<std::string> cells = {first ? ReadText(key, "key_id") : "",
                                      first ? ReadText(key, "provider") : "",
                                      first ? StateOf(key) : "", model};
    for (const Window& window : windows) cells.push_back(UsedOf(counters, window.name));
    cells.push_back(DayReset(counters));
    cells.push_back(first ? Count(ReadInt(key, "in_flight")) : "");
    cells.push_back(first ? NoteOf(key) : "");
    table.Add(std::move(cells), console.Escape(StyleOf(key)));
    first = false;
  }
}

int ShowKeys(const Console& console, const Value& body) {
  using enum Table::Align;
  const Value& keys = ReadChild(body, "keys");
  const std::vector<Window> windows = WindowsOf(keys);
  std::vector<Table::Column> columns = {{"KEY"}, {"PROVIDER"}, {"STATE"}, {"MODEL"}};
  for (const Window& window : windows) columns.push_back({window.title, kRight});
  columns.insert(columns.end(), {{"DAY RESETS"}, {"IN FLIGHT", kRight}, {"NOTE"}});
  Table table(std::move(columns));
  for (const Value& key : keys) AddKey(console, windows, table, key);
  console.Print(table.Text(console.Escape(Console::Style::kBold)));
  return kFine;
}

int ShowReset(const Console& console, const Value& body) {
  const auto keys = ReadTexts(body, "reset");
  for (const std::string& key : keys) console.Print("reset " + Printable(key) + "\n");
  if (keys.empty()) console.Print("nothing to reset\n");
  return kFine;
}

int ShowState(const Console& console, const Value& body) {
  console.Print(Printable(ReadText(body, "key_id")) + " is " + Printable(ReadText(body, "state")) +
                "\n");
  return kFine;
}

struct ResetOptions {
  std::string key;
  bool all = false;
  bool counters = false;
};

void AddReset(CommandSet& set) {
  CLI::App* command = set.Add("reset-cooldown",
                              "End the cooldown of a key, or enable one that was found invalid "
                              "(administrators)",
                              "  routerctl reset-cooldown gemini-flash-01\n"
                              "  routerctl reset-cooldown --all\n"
                              "  routerctl reset-cooldown gemini-pro-01 --counters   and forget "
                              "what it used today");
  auto options = std::make_shared<ResetOptions>();
  CLI::Option* key = command->add_option("KEY", options->key, "The key's id");
  command->add_flag("--all", options->all, "Every key")->excludes(key);
  command->add_flag("--counters", options->counters,
                    "Also forget what was used of its minute and day limits");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    if (options->key.empty() && !options->all) {
      return console.FailUsage("name a key, or say --all");
    }
    Value body = {{"counters", options->counters}};
    if (options->all) {
      body["all"] = true;
    } else {
      body["key_id"] = options->key;
    }
    return AskAndShow(console, daemon, "keys.reset", body, ShowReset);
  });
}

void AddSwitch(CommandSet& set, const std::string& verb, const std::string& description,
               const std::string& example) {
  CLI::App* command = set.Add(verb, description, example);
  auto key = std::make_shared<std::string>();
  command->add_option("KEY", *key, "The key's id")->required();
  set.Run(command, [key, verb](const Console& console, Daemon& daemon) {
    return AskAndShow(console, daemon, "keys." + verb, {{"key_id", *key}}, ShowState);
  });
}

}  // namespace

void AddKeyCommands(CommandSet& set) {
  CLI::App* keys = set.Add("keys", "The keys: state, cooldown, what is used of their limits",
                           "  routerctl keys\n"
                           "  routerctl keys --json | jq '.keys[] | select(.state != \"ready\")'");
  set.Run(keys, [](const Console& console, Daemon& daemon) {
    return AskAndShow(console, daemon, "keys.list", Value::object(), ShowKeys);
  });
  AddReset(set);
  AddSwitch(set, "disable", "Send nothing more with a key until it is enabled (administrators)",
            "  routerctl disable gemini-pro-01");
  AddSwitch(set, "enable", "Use a disabled key again (administrators)",
            "  routerctl enable gemini-pro-01");
}

}  // namespace requestrouter::routerctl
