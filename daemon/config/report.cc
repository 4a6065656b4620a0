#include "daemon/config/report.h"

#include <algorithm>

namespace requestrouter::config {

std::string ToString(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) text += ":" + std::to_string(problem.line);
  if (problem.column > 0) text += ":" + std::to_string(problem.column);
  if (!problem.key.empty()) text += (text.empty() ? "" : ": ") + problem.key;
  return text + (text.empty() ? "" : ": ") + problem.message;
}

void Report::Error(int line, std::string key, std::string message) {
  errors_.push_back({file_, line, std::move(key), std::move(message)});
}

void Report::Warn(int line, std::string key, std::string message) {
  warnings_.push_back({file_, line, std::move(key), std::move(message)});
}

std::vector<Problem> Report::TakeAll() {
  std::vector<Problem> all = Sorted(std::move(errors_));
  for (Problem& warning : TakeWarnings()) {
    warning.warning = true;
    all.push_back(std::move(warning));
  }
  return all;
}

std::vector<Problem> Report::Sorted(std::vector<Problem> problems) const {
  std::stable_sort(problems.begin(), problems.end(), [this](const Problem& a, const Problem& b) {
    const bool a_elsewhere = a.file != file_, b_elsewhere = b.file != file_;
    return a_elsewhere != b_elsewhere ? b_elsewhere : a.line < b.line;
  });
  return problems;
}

}  // namespace requestrouter::config
