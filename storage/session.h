#pragma once

#include <string>

#include "storage/database.h"

namespace requestrouter::storage {

// How the last daemon left the database.
struct LastSession {
  bool unclean = false;     // it did not close it
  bool other_boot = false;  // the machine has started since
};

// Which start of the machine this is, as the kernel names it.
std::string BootId();

// Takes over from the last daemon, in one transaction: notes that this one runs, gives what was
// left open an unknown outcome until `now` + `unknown_for`, and brings stored instants that lie in
// the future (the clock was set back) to where they end in time.
LastSession BeginSession(Database& database, const std::string& boot_id, Millis now,
                         Millis unknown_for);

// This daemon closes the database.
void EndSession(Database& database);

}  // namespace requestrouter::storage
