// routerctl top: asks the daemon every few seconds and shows what it says, until somebody quits.

#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <thread>

#include "client_lib/routerctl/bar.h"
#include "client_lib/routerctl/commands.h"
#include "client_lib/routerctl/screen.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/routerctl/top_view.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadText;
using ipc::Value;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::int64_t kRecent = 50;
// A screen that stands still for longer looks broken.
constexpr std::chrono::seconds kAskTimeout{2};
// That the daemon is gone is news, too: sooner than a call times out.
constexpr milliseconds kReconnectTimeout{500};
// As wide as a page; what a pipe gets is not cut by a terminal.
constexpr std::size_t kPlainColumns = 200;

struct TopOptions {
  double interval_s = 2;
  std::int64_t count = 0;  // 0: without end on a terminal or with an interval, else once
  bool interval_given = false;
};

volatile std::sig_atomic_t stop_signal = 0;

extern "C" void NoteSignal(int signal) { stop_signal = signal; }

// While it lives, the signals that would end the program only say so: the terminal is put in order
// first. No SA_RESTART, so that waiting for a key ends.
class StopSignals {
 public:
  StopSignals() {
    struct sigaction action {};
    action.sa_handler = NoteSignal;
    for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
  }
  ~StopSignals() {
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      sigaction(kSignals[i], &before_[i], nullptr);
    }
  }
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  static bool Arrived() { return stop_signal != 0; }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  std::array<struct sigaction, kSignals.size()> before_;
};

// The news of all three operations, or the first one's failure beside what was known before.
std::optional<Error> Refresh(Daemon& daemon, Snapshot& snapshot) {
  const std::array<std::tuple<const char*, Value, Value*>, 3> asks = {
      {{"health", Value::object(), &snapshot.health},
       {"keys.list", Value::object(), &snapshot.keys},
       {"queue", Value{{"recent", kRecent}}, &snapshot.queue}}};
  for (const auto& [op, body, into] : asks) {
    auto reply = daemon.Ask(op, body, {}, kAskTimeout);
    if (!reply) {
      const bool gone = reply.error().type == ErrorType::kNoDaemon;
      snapshot.trouble = (gone ? "no daemon: " : "no news: ") + reply.error().message;
      return reply.error();
    }
    *into = std::move(*reply);
  }
  snapshot.trouble.clear();
  return std::nullopt;
}

std::string TextOf(const Console& console, const Snapshot& snapshot) {
  View view;
  view.utf8 = LocaleIsUtf8();
  std::string text;
  for (const ScreenLine& line : Render(snapshot, view, {kPlainColumns, std::nullopt})) {
    text += console.Styled(line.style, line.text) + "\n";
  }
  return text;
}

int PrintPlainly(const Console& console, Daemon& daemon, const TopOptions& options) {
  const bool endless = options.count == 0 && options.interval_given;
  const std::int64_t count = std::max<std::int64_t>(options.count, 1);
  const auto interval = milliseconds(static_cast<std::int64_t>(options.interval_s * 1'000));
  std::optional<Error> error;
  for (std::int64_t n = 0; endless || n < count; ++n) {
    if (n > 0) std::this_thread::sleep_for(interval);
    Snapshot snapshot;
    error = Refresh(daemon, snapshot);
    if (error) {
      console.Fail(*error);
    } else if (console.json()) {
      console.PrintJson(
          {{"health", snapshot.health}, {"keys", snapshot.keys}, {"queue", snapshot.queue}});
    } else {
      console.Print((n > 0 ? "\n" : "") + TextOf(console, snapshot));
    }
  }
  if (!error) return kFine;
  return error->type == ErrorType::kNoDaemon ? kNoDaemonFound : kRefused;
}

// What the person at the screen does.
class Session {
 public:
  Session(Daemon& daemon, Screen& screen, milliseconds interval)
      : daemon_(daemon), screen_(screen), interval_(interval) {
    view_.utf8 = LocaleIsUtf8();
  }

  void Run(std::int64_t count) {
    std::int64_t shown = 0;
    while (!quit_ && !StopSignals::Arrived()) {
      const auto now = steady_clock::now();
      if (!view_.paused && now >= next_) {
        if (count > 0 && shown == count) return;
        Refresh(daemon_, snapshot_);
        KeepSelection();
        next_ = steady_clock::now() + interval_;
        ++shown;
      }
      screen_.Draw(Render(snapshot_, view_, screen_.size()));
      if (const auto key = screen_.Read(UntilNext())) Press(*key);
    }
  }

 private:
  struct Action {
    std::string op;
    std::string key_id;
  };

  milliseconds UntilNext() const {
    if (view_.paused) return interval_;
    const auto left = std::chrono::ceil<milliseconds>(next_ - steady_clock::now());
    return std::clamp(left, milliseconds(0), interval_);
  }

  void Press(Screen::Key key) {
    if (key == Screen::kResized) return;
    if (asked_) return Answer(key == 'y' || key == 'Y');
    view_.message.clear();
    if (key == '?') {
      view_.help = !view_.help;
      return;
    }
    view_.help = false;
    if (key == Screen::kUp || key == 'k') return Move(-1);
    if (key == Screen::kDown || key == 'j') return Move(1);
    switch (key) {
      case 'q':
        quit_ = true;
        return;
      case 'p':
      case ' ':
        view_.paused = !view_.paused;
        break;
      case 's':
        view_.order = Next(view_.order);
        return;
      case 'r':
        return AskFirst("Reset", "keys.reset");
      case 'd':
        return AskFirst("Disable", "keys.disable");
      case 'e':
        return AskFirst("Enable", "keys.enable");
      default:
        break;
    }
    next_ = {};
  }

  void Move(int by) {
    const auto keys = SortedKeys(snapshot_, view_.order);
    if (keys.empty()) return;
    const auto last = static_cast<int>(keys.size()) - 1;
    const int at = std::clamp(SelectedIn(keys) + by, 0, last);
    view_.selected = ReadText(keys[static_cast<std::size_t>(at)], "key_id");
  }

  int SelectedIn(const std::vector<Value>& keys) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (ReadText(keys[i], "key_id") == view_.selected) return static_cast<int>(i);
    }
    return -1;
  }

  // A reload may have taken the selected key away.
  void KeepSelection() {
    const auto keys = SortedKeys(snapshot_, view_.order);
    if (SelectedIn(keys) < 0) view_.selected = keys.empty() ? "" : ReadText(keys[0], "key_id");
  }

  void AskFirst(const std::string& verb, const std::string& op) {
    if (view_.selected.empty()) {
      view_.message = "There is no key to select";
      return;
    }
    asked_ = Action{op, view_.selected};
    view_.message = verb + " " + view_.selected + "? (y/n)";
  }

  void Answer(bool yes) {
    const Action action = *std::exchange(asked_, std::nullopt);
    if (!yes) {
      view_.message = "Nothing done";
      return;
    }
    const auto reply = daemon_.Ask(action.op, {{"key_id", action.key_id}}, {}, kAskTimeout);
    if (!reply) {
      view_.message = std::string(Name(reply.error().type)) + ": " + reply.error().message;
    } else if (action.op == "keys.reset") {
      view_.message = action.key_id + " was reset";
    } else {
      view_.message = action.key_id + " is " + ReadText(*reply, "state");
    }
    next_ = {};
  }

  Daemon& daemon_;
  Screen& screen_;
  const milliseconds interval_;
  Snapshot snapshot_;
  View view_;
  std::optional<Action> asked_;  // waits for y or n
  steady_clock::time_point next_;
  bool quit_ = false;
};

// nullopt: this terminal cannot show screens.
std::optional<int> ShowScreens(const Console& console, Daemon& daemon, const TopOptions& options) {
  const StopSignals signals;
  std::string failure;
  {
    Screen screen(console.color());
    if (!screen.ok()) return std::nullopt;
    try {
      Session session(daemon, screen,
                      milliseconds(static_cast<std::int64_t>(options.interval_s * 1'000)));
      session.Run(options.count);
    } catch (const std::exception& error) {  // said when the terminal is in order again
      failure = error.what();
    }
  }
  if (failure.empty()) return kFine;
  console.Note("routerctl: " + failure);
  return kRefused;
}

int Top(const Console& console, const Daemon& others, const TopOptions& options) {
  Daemon::Options impatient = others.options();
  impatient.reconnect_timeout = kReconnectTimeout;
  Daemon daemon(impatient);
  const char* term = std::getenv("TERM");
  const bool screens = console.stdout_is_terminal() && isatty(STDIN_FILENO) == 1 &&
                       !console.json() && term && std::string_view(term) != "dumb";
  if (screens) {
    if (const auto code = ShowScreens(console, daemon, options)) return *code;
    console.Note("routerctl: this terminal (TERM=" + Printable(term) +
                 ") is not known; plain text");
  }
  return PrintPlainly(console, daemon, options);
}

}  // namespace

void AddTopCommand(CommandSet& set) {
  CLI::App* command = set.Add(
      "top", "A live view of keys, queue, callers and recent requests; ? there lists its keys",
      "  routerctl top\n"
      "  routerctl top --interval 0.5\n"
      "  routerctl top | less                  once, as text\n"
      "  routerctl top --interval 10 >> log    every ten seconds, as text\n"
      "  routerctl top --json | jq .queue.recent\n"
      "With NO_COLOR set it shows no colours; with TERM=dumb it prints text.");
  auto options = std::make_shared<TopOptions>();
  CLI::Option* interval =
      command->add_option("--interval", options->interval_s, "Seconds between two looks")
          ->check(CLI::Range(0.1, 86'400.0))
          ->capture_default_str();
  command->add_option("--count", options->count, "Look so many times and end")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000'000'000}));
  set.Run(command, [options, interval](const Console& console, Daemon& daemon) {
    options->interval_given = interval->count() > 0;
    return Top(console, daemon, *options);
  });
}

}  // namespace requestrouter::routerctl
