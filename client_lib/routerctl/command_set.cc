#include <utility>

#include "client_lib/routerctl/commands.h"

namespace requestrouter::routerctl {

CLI::App* CommandSet::Add(const std::string& name, const std::string& description,
                          const std::string& examples) {
  CLI::App* command = app_.add_subcommand(name, description);
  command->footer("Examples:\n" + examples);
  command->group("Commands");
  command->fallthrough();
  return command;
}

void CommandSet::Run(CLI::App* app, Command command) {
  app->callback([this, command = std::move(command)] { chosen_ = command; });
}

int AskAndShow(const Console& console, Daemon& daemon, const std::string& op,
               const ipc::Value& body, const Show& show) {
  const auto reply = daemon.Ask(op, body);
  if (!reply) return console.Fail(reply.error());
  if (!console.json()) return show(console, *reply);
  console.PrintJson(*reply);
  return kFine;
}

}  // namespace requestrouter::routerctl
