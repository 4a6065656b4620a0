#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipc/value.h"

// Parts of a reply as the cells of a table.
namespace requestrouter::routerctl {

// A number grouped, a text as it is, a map as "name value …", nothing as "-".
std::string Cell(const ipc::Value& value);

// The milliseconds under `key` as a duration; "-" where there are none.
std::string DurationCell(const ipc::Value& row, std::string_view key);

std::string Joined(const std::vector<std::string>& words);

}  // namespace requestrouter::routerctl
