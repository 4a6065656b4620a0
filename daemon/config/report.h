#pragma once

#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace requestrouter::config {

// Gathers what is wrong with one configuration, so that all of it is said at once.
class Report {
 public:
  explicit Report(std::string file) : file_(std::move(file)) {}

  // Of the configuration file.
  void Error(int line, std::string key, std::string message);
  void Warn(int line, std::string key, std::string message);

  // Of anything else, such as the environment.
  void AddError(Problem problem) { errors_.push_back(std::move(problem)); }
  void AddWarning(Problem problem) { warnings_.push_back(std::move(problem)); }

  bool ok() const { return errors_.empty(); }

  // Those of the file first, in order of lines.
  std::vector<Problem> TakeWarnings() { return Sorted(std::move(warnings_)); }
  // The errors, and then the warnings, marked as such.
  std::vector<Problem> TakeAll();

 private:
  std::vector<Problem> Sorted(std::vector<Problem> problems) const;

  std::string file_;
  std::vector<Problem> errors_, warnings_;
};

}  // namespace requestrouter::config
