#include "client_lib/routerctl/finding.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace requestrouter::routerctl {
namespace {

using ipc::Value;

std::ptrdiff_t CountOf(const Findings& findings, Verdict verdict) {
  return std::count_if(findings.begin(), findings.end(),
                       [verdict](const Finding& one) { return one.verdict == verdict; });
}

}  // namespace

std::string_view Word(Verdict verdict) {
  switch (verdict) {
    case Verdict::kFine:
      return "fine";
    case Verdict::kDoubtful:
      return "doubtful";
    case Verdict::kWrong:
      return "wrong";
    case Verdict::kNotChecked:
      break;
  }
  return "not checked";
}

bool AnyWrong(const Findings& findings) { return CountOf(findings, Verdict::kWrong) > 0; }

Value ToJson(const Findings& findings) {
  Value rows = Value::array();
  for (const Finding& finding : findings) {
    Value row = {
        {"check", finding.check}, {"verdict", Word(finding.verdict)}, {"text", finding.text}};
    if (!finding.remedy.empty()) row["remedy"] = finding.remedy;
    rows.push_back(std::move(row));
  }
  return {{"findings", std::move(rows)},
          {"wrong", CountOf(findings, Verdict::kWrong)},
          {"doubtful", CountOf(findings, Verdict::kDoubtful)}};
}

std::string Summary(const Findings& findings) {
  const auto wrong = CountOf(findings, Verdict::kWrong);
  const auto doubtful = CountOf(findings, Verdict::kDoubtful);
  std::string text = wrong > 0 ? std::to_string(wrong) + " wrong" : "nothing is wrong";
  if (doubtful > 0) text += ", " + std::to_string(doubtful) + " doubtful";
  return text;
}

void Append(Findings& to, Findings from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace requestrouter::routerctl
