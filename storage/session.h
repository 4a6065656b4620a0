#pragma once

#include <string>
#include <vector>

#include "storage/attempt_log.h"
#include "storage/database.h"

namespace requestrouter::storage {

// How the last daemon left the database.
struct LastSession {
  bool unclean = false;     // it did not close it
  bool other_boot = false;  // the machine has started since
};

// What a new daemon finds and goes on with.
struct Session {
  LastSession last;
  AttemptLog::Identity log;  // of the generation that it is to begin
  std::int64_t last_attempt_id = 0;
};

// Which start of the machine this is, as the kernel names it.
std::string BootId();

// Takes over from the last daemon, in one transaction: notes that this one runs, gives what was
// left open in the attempt log at `log_path` an unknown outcome until `now` + `unknown_for`, and
// brings stored instants that lie in the future (the clock was set back) to where they end in time.
// The log is not needed any more then. Before that, counters that it left pending are added up.
Session BeginSession(Database& database, const std::string& log_path, Millis now,
                     Millis unknown_for);

// Earlier generations of the attempt log are not needed any more; this one has nothing in it that
// is closed by now. `last_id`: of the attempts opened so far, which it may not hold.
void NoteLogGeneration(Database& database, std::int64_t generation, std::int64_t last_id);

// `now` has come: where a later daemon starts before it, the clock was set back.
void NoteSeen(Database& database, Millis now);

// This daemon closes the database.
void EndSession(Database& database);

}  // namespace requestrouter::storage
