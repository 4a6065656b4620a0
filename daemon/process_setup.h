#pragma once

#include <cstdint>
#include <string>

// What the daemon asks of its process and its service manager when it starts. Before other threads
// run, unless it says otherwise.
namespace requestrouter {

// As many descriptors as are allowed, up to 65,536: libzmq ends the process when there are none
// left.
void RaiseDescriptorLimit();

// Whoever reads the log may leave: then its lines are lost, not the daemon. Commands that give
// secrets start with the default again.
void OutliveReaders();

// The listening socket that the service manager holds (sd_listen_fds(3)); -1: none.
int ActivatedSocket();

// `given`, else $STATE_DIRECTORY, else the user's or, for root, the system's default.
std::string StateDirectory(const std::string& given);

std::uint64_t RandomSeed();

// Gives back the pages of programs and libraries that only the start needed (symbols, relocations,
// the set-up of libraries): most of what an idle daemon would hold. What is used again is mapped
// again from the page cache. Other threads may run, but not unload a library.
void ReleaseStartPages();

}  // namespace requestrouter
