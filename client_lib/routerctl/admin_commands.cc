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

constexpr std::chrono::minutes kBackupTimeout{10};
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
  const auto body = daemon.Ask("backup", {{"path", path}}, {}, kBackupTimeout);
  if (!body) return console.Fail(body.error());
  if (console.json()) {
    console.PrintJson(*body);
    return kFine;
  }
  console.Print("wrote " + Printable(path) + ": " + Count(ReadInt(*body, "bytes")) + " bytes in " +
                Duration(std::chrono::milliseconds(ReadInt(*body, "duration_ms"))) + "\n");
  return kFine;
}

}  // namespace

void AddAdminCommands(CommandSet& set) {
  set.Run(set.Add("reload", "Read the configuration and the secrets again (administrators)",
                  "  routerctl reload\n"
                  "  routerd --check-config --config keys.json && routerctl reload"),
          Reload);
  CLI::App* backup =
      set.Add("backup", "Write a consistent copy of the database while it runs (administrators)",
              "  routerctl backup /var/backups/requestrouter.db");
  auto file = std::make_shared<std::string>();
  backup->add_option("FILE", *file, "Where the daemon writes it; must not exist")->required();
  set.Run(backup, [file](const Console& console, Daemon& daemon) {
    return Backup(console, daemon, *file);
  });
}

}  // namespace requestrouter::routerctl
