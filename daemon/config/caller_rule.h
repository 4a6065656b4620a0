#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace requestrouter::config {

// What some callers may use. Names of users and groups are resolved when the file is read.
struct CallerRule {
  // One of the two, or neither: for callers whom no other rule names.
  std::optional<uid_t> uid;
  std::optional<gid_t> gid;
  // A name, or the beginning of one and '*'. Absent: all.
  std::optional<std::vector<std::string>> models;
  std::optional<std::int64_t> tokens_per_day;  // of each such uid, input and output; UTC days
  std::optional<double> usd_per_day;
  std::optional<double> weight;  // with `uid` only: its share where uids compete

  bool operator==(const CallerRule&) const = default;
};

}  // namespace requestrouter::config
