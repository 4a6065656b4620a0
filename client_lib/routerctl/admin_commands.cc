#include <chrono>
#include <filesystem>
#include <memory>

#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadInt;
using client::ReadTexts;
using ipc::Value;

// For what reads or writes all of the database.
constexpr std::chrono::minutes kWholeTimeout{10};
constexpr std::chrono::minutes kReloadTimeout{1};

int Reload(const Console& console, Daemon& daemon) {
  const auto body = daemon.Ask("reload", Value::object(), {}, kReloadTimeout);
  if (!body) return console.Fail(body.error());
  if (console.json()) {
    console.PrintJson(*body);
    return kFine;
  }
  const auto changed = ReadTexts(*body, "changed");
  for (const std::string& line : changed) console.Print("changed: " + Printable(line) + "\n");
  if (changed.empty()) console.Print("nothing changed\n");
  for (const std::string& line : ReadTexts(*body, "warnings")) {
    console.Note("warning: " + Printable(line));
  }
  return kFine;
}

int Backup(const Console& console, Daemon& daemon, const std::string& file) {
  // The daemon writes it, and works in another directory.
  const std::string path = std::filesystem::absolute(file).string();
  const auto body = daemon.Ask("backup", {{"path", path}}, {}, kWholeTimeout);
  if (!body) return console.Fail(body.error());
  if (console.json()) {
    console.PrintJson(*body);
    return kFine;
  }
  console.Print("wrote " + Printable(path) + ": " + Count(ReadInt(*body, "bytes")) + " bytes in " +
                Duration(std::chrono::milliseconds(ReadInt(*body, "duration_ms"))) + "\n");
  return kFine;
}

int Restore(const Console& console, Daemon& daemon, const std::string& file) {
  const std::string path = std::filesystem::absolute(file).string();
  const auto body = daemon.Ask("restore", {{"path", path}}, {}, kWholeTimeout);
  if (!body) return console.Fail(body.error());
  if (console.json()) {
    console.PrintJson(*body);
    return kFine;
  }
  console.Print("restored " + Count(ReadInt(*body, "conversations")) + " conversations with " +
                Count(ReadInt(*body, "messages")) + " messages, and the usage, from " +
                Printable(path) + "\n");
  return kFine;
}

int Check(const Console& console, Daemon& daemon) {
  const auto body = daemon.Ask("check", Value::object(), {}, kWholeTimeout);
  if (!body) return console.Fail(body.error());
  const auto problems = ReadTexts(*body, "problems");
  const int code = problems.empty() ? kFine : kRefused;
  if (console.json()) {
    console.PrintJson(*body);
    return code;
  }
  for (const std::string& line : problems) console.Print("damaged: " + Printable(line) + "\n");
  if (problems.empty()) console.Print("the database is whole\n");
  return code;
}

void AddBackup(CommandSet& set) {
  CLI::App* backup =
      set.Add("backup", "Write a consistent copy of the database while it runs (administrators)",
              "  routerctl backup /var/lib/requestrouter/backup.db");
  auto file = std::make_shared<std::string>();
  backup->add_option("FILE", *file, "Where the daemon writes it; must not exist")->required();
  set.Run(backup, [file](const Console& console, Daemon& daemon) {
    return Backup(console, daemon, *file);
  });
}

void AddRestore(CommandSet& set) {
  CLI::App* restore =
      set.Add("restore",
              "Put the conversations and the usage of a backup in the place of the present ones "
              "(administrators)",
              "  routerctl restore /var/lib/requestrouter/backup.db\n"
              "Cooldowns and quota counts stay as they are.");
  auto file = std::make_shared<std::string>();
  restore->add_option("FILE", *file, "The backup, which the daemon must be able to read")
      ->required();
  set.Run(restore, [file](const Console& console, Daemon& daemon) {
    return Restore(console, daemon, *file);
  });
}

}  // namespace

void AddAdminCommands(CommandSet& set) {
  set.Run(set.Add("reload", "Read the configuration and the secrets again (administrators)",
                  "  routerctl reload\n"
                  "  routerd --check-config --config keys.json && routerctl reload"),
          Reload);
  AddBackup(set);
  AddRestore(set);
  set.Run(set.Add("check", "Look for damage in the database while it runs (administrators)",
                  "  routerctl check"),
          Check);
}

}  // namespace requestrouter::routerctl
