#pragma once

#include "storage/database.h"

namespace requestrouter::storage {

// The version that this program writes: the number of migrations.
int SchemaVersion();

// Brings a database to SchemaVersion(), one transaction a migration. Throws kNewerSchema for one
// that a later version of this program wrote. `up_to` is for tests: where to stop.
void Migrate(Database& database, int up_to = SchemaVersion());

}  // namespace requestrouter::storage
