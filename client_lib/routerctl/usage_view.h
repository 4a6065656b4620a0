#pragma once

#include <chrono>
#include <string>

#include "ipc/value.h"

// The reply of `usage` for people. Pure.
namespace requestrouter::routerctl {

struct UsageView {
  std::chrono::system_clock::time_point since;
  std::chrono::system_clock::time_point until;
  bool utf8 = false;
  std::string header_style;  // an escape sequence, or empty
};

// Is there a use in asking for the days of these rows: is it more than one, and no row a day or an
// hour itself?
bool ManyDays(const UsageView& view, const ipc::Value& rows);

// From when on days are shown: the beginning of the period, or of its last 30 days.
std::chrono::system_clock::time_point FirstShown(const UsageView& view);

// A line a row, a bar for its part of all tokens (of all requests where there were no tokens) and,
// with `daily` (the rows of the same question by day too, since FirstShown; null: not asked), a
// sparkline of that by day; the sum of all in a last line.
std::string UsageTable(const UsageView& view, const ipc::Value& rows, const ipc::Value& daily);

// "from 2026-01-24 12:00 UTC until now": what the rows are of.
std::string UsagePeriod(const UsageView& view, std::chrono::system_clock::time_point now);

}  // namespace requestrouter::routerctl
