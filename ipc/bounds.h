#pragma once

#include <cstddef>
#include <cstdint>

// How large the parts of a request may be, beside the payload's own limit: generous for people and
// agents, small enough that what is kept for every request stays small. PROTOCOL.md lists them.
namespace requestrouter::ipc::bounds {

inline constexpr std::size_t kId = 128;       // request ids
inline constexpr std::size_t kConvId = 256;   // conversation ids
inline constexpr std::size_t kLabel = 256;    // agent, user_id, names of models and tools
inline constexpr std::size_t kCallId = 512;   // tool call ids
inline constexpr std::size_t kUrl = 8192;
inline constexpr std::size_t kMessages = 10'000;
inline constexpr std::size_t kParts = 1'000;
inline constexpr std::size_t kTools = 1'000;
inline constexpr std::size_t kToolCalls = 1'000;
inline constexpr std::size_t kStops = 64;
inline constexpr std::size_t kStopBytes = 1'024;
inline constexpr std::int64_t kTokens = 100'000'000;
inline constexpr std::int64_t kDayMs = 86'400'000;

}  // namespace requestrouter::ipc::bounds
