#pragma once

#include <string>
#include <string_view>

#include "ipc/value.h"
#include "requestrouter/error.h"

// What routerctl writes: answers on stdout, everything else on stderr.
namespace requestrouter::routerctl {

// The exit codes that are part of the interface.
enum ExitCode : int { kFine = 0, kRefused = 1, kUsage = 2, kNoDaemonFound = 3 };

class Console {
 public:
  enum class Style { kPlain, kDim, kGreen, kYellow, kRed, kBold };

  // `json`: answers are the reply's body, and errors {"error":{…}}, as one line of JSON on stdout.
  // `command`: whose --help a mistake in the command line points to; empty: routerctl's.
  Console(bool json, std::string command);

  bool json() const { return json_; }
  bool stdout_is_terminal() const { return out_terminal_; }
  bool stderr_is_terminal() const { return err_terminal_; }

  // A terminal on stdout, and neither NO_COLOR (no-color.org) nor TERM=dumb.
  bool color() const { return color_; }
  // The escape sequence of a style on stdout; empty unless that is a terminal and NO_COLOR
  // (no-color.org) is not set.
  std::string Escape(Style style) const;
  std::string Styled(Style style, std::string_view text) const;

  void Print(std::string_view text) const;
  void PrintJson(const ipc::Value& value) const;
  // A line on stderr.
  void Note(std::string_view text) const;

  // Reports a failed call and tells the exit code for it.
  int Fail(const Error& error) const;
  // Reports a mistake in the command line.
  int FailUsage(std::string_view message) const;

 private:
  const bool json_;
  const std::string command_;
  const bool out_terminal_;
  const bool err_terminal_;
  const bool color_;
};

}  // namespace requestrouter::routerctl
