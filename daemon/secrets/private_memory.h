#pragma once

namespace requestrouter::secrets {

// Keeps what is in memory from leaving it: no core dump is written and no process of the same user
// may look inside (PR_SET_DUMPABLE, RLIMIT_CORE), and what libcurl gives back is overwritten, as it
// is for C++ (the program's own operator delete). Secrets themselves are locked and left out of
// dumps by Secret; this is for the copies that sending them takes.
//
// Call first in main, before there are threads and before libcurl is used.
void KeepMemoryPrivate();

}  // namespace requestrouter::secrets
