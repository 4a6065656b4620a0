#include <chrono>
#include <memory>
#include <utility>

#include "client_lib/routerctl/bar.h"
#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/routerctl/usage_view.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using ipc::Value;
using std::chrono::system_clock;

struct UsageOptions {
  std::string since = "7d";
  std::string until;
  std::vector<std::string> by{"key", "model"};
};

// The rows asked for, those of each day too where they are not days or hours already, and the
// sentence below them.
int ShowUsage(const Console& console, Daemon& daemon, const Value& request, const Value& body) {
  const auto now = system_clock::now();
  UsageView view;
  view.utf8 = LocaleIsUtf8();
  view.header_style = console.Escape(Console::Style::kBold);
  view.since = *ParseTime(client::ReadText(request, "since"));
  view.until = ParseTime(client::ReadText(request, "until")).value_or(now);
  const Value& rows = client::ReadChild(body, "rows");
  if (rows.empty()) {
    console.Print("nothing was asked " + UsagePeriod(view, now) + "\n");
    return kFine;
  }
  Value days;
  if (ManyDays(view, rows)) {
    Value by_day = request;
    by_day["by"].push_back("day");
    by_day["since"] = FormatTime(FirstShown(view));
    const auto found = daemon.Ask("usage", by_day);
    if (!found) return console.Fail(found.error());
    days = client::ReadChild(*found, "rows");
  }
  console.Print(UsageTable(view, rows, days) + "\n" + UsagePeriod(view, now) + "\n");
  return kFine;
}

int Usage(const Console& console, Daemon& daemon, const UsageOptions& options) {
  Value request = {{"by", options.by}};
  for (const auto& [name, text] : {std::pair("since", options.since), {"until", options.until}}) {
    if (text.empty()) continue;
    const auto time = ParseSince(text, system_clock::now());
    if (!time) {
      return console.FailUsage(std::string("--") + name + " is none of 15m, 12h, 7d, today, " +
                               "2026-01-31 or 2026-01-31T12:00:00Z");
    }
    request[name] = *time;
  }
  return AskAndShow(console, daemon, "usage", request,
                    [&daemon, request](const Console& shown, const Value& body) {
                      return ShowUsage(shown, daemon, request, body);
                    });
}

}  // namespace

void AddUsageCommand(CommandSet& set) {
  CLI::App* command = set.Add("usage", "What was used: requests, errors, tokens, cost",
                              "  routerctl usage --since today\n"
                              "  routerctl usage --by agent --since 2026-01-31\n"
                              "  routerctl usage --by day,model --since 30d --json");
  auto options = std::make_shared<UsageOptions>();
  command->add_option("--by", options->by, "Group by any of these, separated by commas")
      ->delimiter(',')
      ->check(CLI::IsMember({"key", "model", "caller", "agent", "user", "hour", "day"}))
      ->capture_default_str();
  command
      ->add_option("--since", options->since,
                   "From then on, in UTC: 90s, 15m, 12h, 7d, today, a date or a time")
      ->check([](const std::string& text) { return std::string(text.empty() ? "is empty" : ""); })
      ->capture_default_str();
  command->add_option("--until", options->until, "Up to then, in the same forms");
  set.Run(command, [options](const Console& console, Daemon& daemon) {
    return Usage(console, daemon, *options);
  });
}

}  // namespace requestrouter::routerctl
