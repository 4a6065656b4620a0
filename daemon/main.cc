// routerd: parses the command line and runs the app.

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>

#include "daemon/app.h"
#include "daemon/check_config.h"
#include "daemon/secrets/private_memory.h"
#include "requestrouter_version.h"

namespace {

constexpr const char* kDescription =
    "routerd holds all LLM API keys of this host and their rate limits, and serves routed chat\n"
    "requests over a local ZeroMQ socket.";

constexpr const char* kFooter =
    "Examples:\n"
    "  routerd --config keys.json --env-file .env --check-config\n"
    "  routerd --config keys.json --env-file .env\n"
    "      --endpoint ipc:///tmp/me/router.sock --state-dir /tmp/me/state\n"
    "\n"
    "Secrets come from the environment or the .env file as API_KEY_<key_id> (hyphens,\n"
    "underscores or upper case), never from the command line.\n"
    "Signals: SIGTERM drains and stops, a second one stops at once; SIGHUP reloads.\n"
    "Exit codes: 0 stopped as told, 1 could not start (one line says why), 2 usage.";

}  // namespace

int main(int argc, char** argv) {
  requestrouter::secrets::KeepMemoryPrivate();
  requestrouter::AppOptions options;
  bool check_config = false;
  CLI::App cli(kDescription, "routerd");
  cli.option_defaults()->take_last();  // so that a wrapper's options can be overridden
  cli.footer(kFooter);
  cli.set_version_flag("--version", std::string("routerd ") + REQUESTROUTER_VERSION);
  cli.add_option("--config", options.config_path, "The keys and settings (keys.json)")
      ->required()
      ->type_name("FILE");
  cli.add_option("--env-file", options.env_file,
                 "A .env file; the process's own environment wins over it")
      ->type_name("FILE");
  cli.add_option("--endpoint", options.endpoint,
                 "Where to listen, ipc://PATH (default: $REQUESTROUTER_ENDPOINT, else"
                 " requestrouter/router.sock in $XDG_RUNTIME_DIR, for root in /run)")
      ->type_name("ENDPOINT");
  cli.add_option("--state-dir", options.state_dir,
                 "Where the database is kept (default: $STATE_DIRECTORY, else"
                 " ~/.local/state/requestrouter, for root /var/lib/requestrouter)")
      ->type_name("DIR");
  cli.add_option("--log-level", options.log_level,
                 "trace, debug, info, warning, error, critical or off")
      ->type_name("LEVEL");
  cli.add_option("--metrics-listen", options.metrics_listen,
                 "Serve Prometheus metrics at http://ADDRESS/metrics: 127.0.0.1:PORT, to whoever"
                 " can connect; port 0: one that is free, see the log")
      ->type_name("ADDRESS");
  cli.add_flag("--check-config", check_config,
               "Say everything that is wrong with the configuration, and exit");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  }
  try {
    return check_config ? requestrouter::CheckConfig(options.config_path, options.env_file)
                        : requestrouter::RunApp(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "routerd: %s\n", error.what());
    return 1;
  }
}
