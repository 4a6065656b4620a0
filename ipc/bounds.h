#pragma once

#include <cstddef>
#include <cstdint>

// How large the parts of a request may be, beside the payload's own limit: generous for people and
// agents, small enough that what is kept for every request stays small. PROTOCOL.md lists them.
namespace requestrouter::ipc::bounds {

inline constexpr std::size_t kId = 128;        // request ids
inline constexpr std::size_t kConvId = 256;    // conversation ids
inline constexpr std::size_t kCursor = 1'024;  // `after` of a listing
inline constexpr std::size_t kLabel = 256;     // agent, user_id, key ids, names of models and tools
inline constexpr std::size_t kCallId = 512;    // tool call ids
inline constexpr std::size_t kUrl = 8'192;
inline constexpr std::size_t kPath = 4'096;
inline constexpr std::int64_t kRecent = 1'000;  // requests that are over, of `queue`
inline constexpr std::size_t kMessages = 10'000;
inline constexpr std::size_t kParts = 1'000;
inline constexpr std::size_t kTools = 1'000;
inline constexpr std::size_t kToolCalls = 1'000;
inline constexpr std::size_t kUsageGroups = 7;
inline constexpr std::size_t kStops = 64;
inline constexpr std::size_t kStopBytes = 1'024;
inline constexpr std::int64_t kTokens = 100'000'000;
inline constexpr std::int64_t kDayMs = 86'400'000;

// Elements of a payload, all of its arrays and maps taken together (a map's entry counts as two).
// An element takes one byte on the wire but about a hundred in memory at worst.
inline constexpr std::size_t kElements = std::size_t{1} << 20;

// The nesting up to which a payload that nests too deep is still searched for its id.
inline constexpr std::size_t kSearchedNesting = 1'024;

}  // namespace requestrouter::ipc::bounds
