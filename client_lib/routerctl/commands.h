#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "client_lib/routerctl/console.h"
#include "client_lib/routerctl/daemon.h"

// The commands, a group a file. Each Add… declares its commands; parsing chooses one of them.
namespace requestrouter::routerctl {

// Runs one command and tells the exit code.
using Command = std::function<int(const Console&, Daemon&)>;

class CommandSet {
 public:
  explicit CommandSet(CLI::App& app) : app_(app) {}

  // Declares a command. `examples` ends its --help.
  CLI::App* Add(const std::string& name, const std::string& description,
                const std::string& examples);
  // What to run when `app` was given.
  void Run(CLI::App* app, Command command);

  const Command& chosen() const { return chosen_; }

 private:
  CLI::App& app_;
  Command chosen_;
};

// Asks one operation and prints its reply: with --json as it is, otherwise by `show`, which tells
// the exit code too.
using Show = std::function<int(const Console&, const ipc::Value& body)>;
int AskAndShow(const Console& console, Daemon& daemon, const std::string& op,
               const ipc::Value& body, const Show& show);

void AddStatusCommands(CommandSet& set);        // health, ping, models, queue, metrics
void AddKeyCommands(CommandSet& set);           // keys, reset-cooldown, disable, enable
void AddChatCommands(CommandSet& set);          // chat, cancel
void AddConversationCommands(CommandSet& set);  // conversations, conversation
void AddUsageCommand(CommandSet& set);          // usage
void AddExplainCommand(CommandSet& set);        // explain
void AddTopCommand(CommandSet& set);            // top
void AddDoctorCommand(CommandSet& set);         // doctor
void AddAdminCommands(CommandSet& set);         // reload, backup, restore, check

}  // namespace requestrouter::routerctl
