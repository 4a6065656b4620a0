// routerctl: how a person looks inside routerd and intervenes. Parses, asks the daemon, prints.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <vector>

#include "client_lib/routerctl/commands.h"
#include "requestrouter_version.h"

namespace requestrouter::routerctl {
namespace {

constexpr const char* kDescription =
    "Looks inside routerd, the router of LLM requests on this host, and intervenes.";

constexpr const char* kFooter =
    "Exit codes: 0 fine, 1 unhealthy or refused, 2 wrong usage, 3 no daemon.\n"
    "With --json every answer is the reply's body as one line of JSON on stdout, and a failure is\n"
    "{\"error\":{\"type\",\"message\",\"retryable\",\"retry_after_ms\"?,\"details\"?}} there.\n"
    "\n"
    "Examples:\n"
    "  routerctl health                      is all well?\n"
    "  routerctl keys                        which keys are cooling, and how much is left of each\n"
    "  routerctl chat \"Say hello\"            one request from end to end\n"
    "  routerctl explain 4f1c…               why a request waited or failed\n"
    "  routerctl COMMAND --help              more about one command, with examples";

struct Globals {
  Daemon::Options daemon;
  bool json = false;
  double timeout_s = 0;
};

void AddGlobals(CLI::App& app, Globals& globals) {
  app.add_option("--endpoint", globals.daemon.endpoint,
                 "Where the daemon listens, as ipc:///path. Default: REQUESTROUTER_ENDPOINT, else "
                 "the user's, else the system's socket")
      ->type_name("ENDPOINT");
  app.add_flag("--json", globals.json, "Print JSON for programs instead of tables");
  app.add_option("--timeout", globals.timeout_s, "Seconds to wait for the answer")
      ->check(CLI::Range(0.001, 86'400.0).description(""))
      ->type_name("SECONDS");
  app.set_version_flag("--version", std::string("routerctl ") + REQUESTROUTER_VERSION);
}

void AddCommands(CommandSet& set) {
  AddStatusCommands(set);
  AddKeyCommands(set);
  AddChatCommands(set);
  AddConversationCommands(set);
  AddUsageCommand(set);
  AddExplainCommand(set);
  AddTopCommand(set);
  AddDoctorCommand(set);
  AddAdminCommands(set);
}

// What is wrong with a command line, in our words where CLI11's do not say it.
std::string ProblemOf(const CLI::App& app, const CLI::ParseError& error) {
  const bool lacks_command = app.get_subcommands().empty() && error.get_name() == "RequiredError";
  if (!lacks_command) return error.what();
  const std::vector<std::string> unknown = app.remaining();
  for (const std::string& word : unknown) {
    if (!word.starts_with('-')) return "there is no command \"" + word + "\"";
  }
  return unknown.empty() ? "which command?" : "there is no option \"" + unknown.front() + "\"";
}

// The command that was given; empty: none.
std::string CommandOf(const CLI::App& app) {
  const auto commands = app.get_subcommands();
  return commands.empty() ? "" : commands.front()->get_name();
}

int Main(int argc, const char* const* argv) {
  CLI::App app(kDescription, "routerctl");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.get_formatter()->label("SUBCOMMAND", "COMMAND");
  Globals globals;
  AddGlobals(app, globals);
  CommandSet commands(app);
  AddCommands(commands);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    return Console(globals.json, CommandOf(app)).FailUsage(ProblemOf(app, error));
  }
  if (globals.timeout_s > 0) {
    globals.daemon.timeout =
        std::chrono::milliseconds(static_cast<std::int64_t>(globals.timeout_s * 1'000));
  }
  Daemon daemon(globals.daemon);
  return commands.chosen()(Console(globals.json, CommandOf(app)), daemon);
}

}  // namespace
}  // namespace requestrouter::routerctl

int main(int argc, char** argv) { return requestrouter::routerctl::Main(argc, argv); }
