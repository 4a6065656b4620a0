#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ipc/value.h"

// What `routerctl doctor` found.
namespace requestrouter::routerctl {

enum class Verdict { kFine, kDoubtful, kWrong, kNotChecked };

// One line of the report.
struct Finding {
  std::string check;  // "socket", "keys", …
  Verdict verdict = Verdict::kFine;
  std::string text;    // what is so
  std::string remedy;  // what to do, a command where there is one; empty where nothing needs doing
};
using Findings = std::vector<Finding>;

// "fine", "doubtful", "wrong", "not checked".
std::string_view Word(Verdict verdict);

bool AnyWrong(const Findings& findings);

// {"findings":[{"check","verdict","text","remedy"?}],"wrong","doubtful"}
ipc::Value ToJson(const Findings& findings);

// "2 wrong, 1 doubtful" or "nothing is wrong".
std::string Summary(const Findings& findings);

void Append(Findings& to, Findings from);

}  // namespace requestrouter::routerctl
