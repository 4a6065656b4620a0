#include "client_lib/routerctl/console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "client_lib/routerctl/text.h"
#include "client_lib/src/errors.h"

namespace requestrouter::routerctl {
namespace {

using ipc::Value;

bool ColorWanted() {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = !term || std::string_view(term) == "dumb";
  return !dumb && (!no_color || *no_color == '\0');
}

const char* SequenceOf(Console::Style style) {
  switch (style) {
    case Console::Style::kPlain:
      return "";
    case Console::Style::kDim:
      return "\033[2m";
    case Console::Style::kGreen:
      return "\033[32m";
    case Console::Style::kYellow:
      return "\033[33m";
    case Console::Style::kRed:
      return "\033[31m";
    case Console::Style::kBold:
      return "\033[1m";
  }
  return "";
}

// What to do about it, where the message does not say that already.
std::string RemedyOf(const Error& error) {
  if (error.retry_after) return "try again in " + Duration(*error.retry_after);
  switch (error.type) {
    case ErrorType::kUnknownOp:
    case ErrorType::kUnsupportedVersion:
      return "this routerctl and the daemon differ in version: compare `routerctl --version` with "
             "`routerctl ping`";
    case ErrorType::kUpstreamAuth:
      return "see `routerctl keys`";
    default:
      return {};
  }
}

}  // namespace

Console::Console(bool json, std::string command)
    : json_(json),
      command_(std::move(command)),
      out_terminal_(isatty(STDOUT_FILENO) == 1),
      err_terminal_(isatty(STDERR_FILENO) == 1),
      color_(out_terminal_ && ColorWanted()) {}

std::string Console::Escape(Style style) const { return color_ ? SequenceOf(style) : ""; }

std::string Console::Styled(Style style, std::string_view text) const {
  const std::string escape = Escape(style);
  if (escape.empty()) return std::string(text);
  return escape + std::string(text) + "\033[0m";
}

void Console::Print(std::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Console::PrintJson(const Value& value) const {
  Print(value.dump(out_terminal_ ? 2 : -1, ' ', false, Value::error_handler_t::replace) + "\n");
}

void Console::Note(std::string_view text) const {
  std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
}

int Console::Fail(const Error& error) const {
  if (json_) PrintJson(Value{{"error", client::ErrorBody(error)}});
  Note("routerctl: " + std::string(Name(error.type)) + ": " + Printable(error.message));
  const std::string remedy = RemedyOf(error);
  if (!remedy.empty()) Note("  " + remedy);
  return error.type == ErrorType::kNoDaemon ? kNoDaemonFound : kRefused;
}

int Console::FailUsage(std::string_view message) const {
  Error error;
  error.type = ErrorType::kInvalidRequest;
  error.message = message;
  if (json_) PrintJson(Value{{"error", client::ErrorBody(error)}});
  Note("routerctl: " + std::string(message));
  Note("  see `routerctl " + command_ + (command_.empty() ? "" : " ") + "--help`");
  return kUsage;
}

}  // namespace requestrouter::routerctl
