#pragma once

#include <string>

namespace requestrouter {

// What `routerd` is told on its command line; see `routerd --help`.
struct AppOptions {
  std::string config_path;
  std::string env_file;        // empty: none
  std::string endpoint;        // empty: the default, see ipc::ResolveEndpoint
  std::string state_dir;       // empty: $STATE_DIRECTORY, else the user's or the system's default
  std::string log_level;       // empty: LOG_LEVEL, else the configuration's
  std::string metrics_listen;  // empty: the configuration's, or nowhere
};

// Runs the daemon until it is told to stop. Returns the exit code; what went wrong is one line on
// stderr with the remedy.
//
// Threads, and what each may block on: see README.md, "Threads". The router thread is the one that
// calls Run. Others reach it through router::Mailbox only.
//
// Start: configuration -> storage recovery -> secrets -> sockets -> READY.
// Stop: refuse new requests -> drain to the deadline -> flush storage -> close. A second signal is
// immediate.
int RunApp(AppOptions options);

}  // namespace requestrouter
