#pragma once

#include <cstdint>
#include <vector>

#include "client_lib/routerctl/finding.h"
#include "client_lib/routerctl/host_facts.h"

// What `routerctl doctor` thinks of its host. Pure: facts in, findings out.
namespace requestrouter::routerctl {

// Below either of these the disk is doubtful.
inline constexpr std::uint64_t kLittleSpace = 100'000'000;
inline constexpr double kLittleShare = 0.02;

Findings JudgeConfig(const ConfigFacts& facts);

// Whether something listens where clients look for it.
Finding JudgeSocket(const SocketFacts& socket, const CallerFacts& caller);

// Whether the socket lets in who it should: nobody beside its owner and group.
Finding JudgeSocketMode(const SocketFacts& socket);
Finding JudgeCaller(const SocketFacts& socket, const CallerFacts& caller);

Finding JudgeStateDirectory(const FileFacts& directory, const SocketFacts& socket);

// What others may read is named; one line where nothing is.
Findings JudgeSecretFiles(const std::vector<FileFacts>& files);

Finding JudgeDisk(const DiskFacts& disk);
Finding JudgeKernelClock(const ClockFacts& clock);

}  // namespace requestrouter::routerctl
