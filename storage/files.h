#pragma once

#include <string>

#include "storage/database.h"

namespace requestrouter::storage {

// Writes a consistent copy of the database to a new file with mode 0600 and syncs it. The file has
// another name (PATH.partial) until it is whole. Throws where `path` exists already.
void CopyDatabase(Database& database, const std::string& path);

}  // namespace requestrouter::storage
