#pragma once

#include <string>

#include "storage/database.h"

namespace requestrouter::storage {

// What a failed call of the system on this file means.
Error ErrnoError(const std::string& path, int error);

// Syncs a file or, with O_DIRECTORY, the names in a folder. Throws.
void Sync(const std::string& path, int flags);

// Writes a consistent copy of the database to a new file with mode 0600 and syncs it. The file has
// another name (PATH.partial) until it is whole. Throws where `path` exists already.
void CopyDatabase(Database& database, const std::string& path);

// Where there is no database any more: a copy of the deleted files that `database` still has open
// takes their place, in two steps, so that being killed between them loses nothing. The first may
// be tried again; after it `database` is to be closed.
void CopyDeleted(Database& database, const std::string& path);
void AdoptCopy(const std::string& path);  // nothing where there is none

}  // namespace requestrouter::storage
