#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/config/report.h"

namespace requestrouter::config {

// The environment being read. Empty variables count as absent: that is how a unit file or a
// container clears one.
class Variables {
 public:
  // All outlive this object; `dotenv` may be null.
  Variables(const Environment& environment, const Dotenv* dotenv, Report& report)
      : environment_(&environment), dotenv_(dotenv), report_(&report) {}

  const Environment& all() const { return *environment_; }

  std::optional<std::string> Text(std::string_view name) const;
  // Reported and taken for absent where it is not a whole number in the range.
  std::optional<std::int64_t> Whole(std::string_view name, std::int64_t min,
                                    std::int64_t max) const;

  void Error(std::string_view name, std::string message) const;
  void Warn(std::string_view name, std::string message) const;

 private:
  Problem At(std::string_view name, std::string message) const;

  const Environment* environment_;
  const Dotenv* dotenv_;
  Report* report_;
};

}  // namespace requestrouter::config
