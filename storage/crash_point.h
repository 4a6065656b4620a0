#pragma once

#include <string_view>

namespace requestrouter::storage {

// Marks a place where the crash tests end the process with SIGKILL, to see what the next daemon
// makes of what is on the disk, or stop it, while they end its caller. In routerd this does
// nothing. The tests' routerd_crash is linked with its own definition
// (tests/support/crash_point_armed.cc), which takes the place of this archive member; so nothing
// can arm it in production.
//
//   name        the process ends
//   loading     while a conversation's history is read
//   reserved    with quota reserved for a request and nothing written
//   logged      after the attempt was written, before it is sent
//   sent        after the attempt was handed to the provider's connection
//   answered    with the provider's answer in memory only
//   committing  with a turn in an open transaction
//   committed   with a turn on the disk that nobody has heard of
//   migrating   inside of a migration
//   backing_up  with a backup that is written but has not got its name
//   restoring   inside of the transaction that restores a backup
//
// Any thread.
void CrashPoint(std::string_view name) noexcept;

}  // namespace requestrouter::storage
