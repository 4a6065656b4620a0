#include "client_lib/routerctl/top_view.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <utility>

#include "client_lib/routerctl/bar.h"
#include "client_lib/routerctl/cells.h"
#include "client_lib/routerctl/key_cells.h"
#include "client_lib/routerctl/table.h"
#include "client_lib/routerctl/text.h"
#include "client_lib/routerctl/waiting_table.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {
namespace {

using client::ReadBool;
using client::ReadChild;
using client::ReadInt;
using client::ReadText;
using client::ReadTexts;
using ipc::Value;
using std::chrono::milliseconds;
using Style = Console::Style;

// A title, a header and rows of which the first are shown where there is no room for all.
struct Section {
  std::string title;
  std::vector<ScreenLine> lines;  // the table's header first
  std::size_t keep = 0;           // the row that must be seen, counted in `lines`

  std::size_t Needs() const { return lines.empty() ? 1 : lines.size() + 1; }
};

constexpr const char* kKeysLine =
    "up/down select  r reset  d disable  e enable  s sort  p pause  ? help  q quit";

constexpr std::array kHelp = {
    "up, down, k, j  select a key",
    "r               reset the selected key: end its cooldown, close its breaker",
    "d               disable it: nothing more is sent with it until it is enabled",
    "e               enable it",
    "s               sort the keys: as configured, by state, by use",
    "p, space        pause, and go on",
    "any other key   ask the daemon at once",
    "?               this help",
    "q, Ctrl-C       quit",
    "",
    "Resetting, disabling and enabling is for administrators and asks first.",
    "RPM, TPM: requests and tokens in the last minute; RPD, TPD: today; of the limit.",
    "ITPM, OTPM: of the tokens, those of prompts and of answers.",
};

// How wide the bars are on a screen of so many columns, where so many windows have one.
std::size_t BarWidth(std::size_t columns, std::size_t windows) {
  if (columns >= 70 + 20 * windows) return 10;
  return columns >= 55 + 15 * windows ? 5 : 0;
}

std::string Gauge(const Value& usage, const char* window, std::size_t width, bool utf8) {
  std::string used = UsedOf(usage, window);
  if (width == 0 || used.find('/') == std::string::npos) return used;
  return used + " " + Bar(ShareOf(usage, window), width, utf8);
}

// Those that need somebody's attention first.
int Rank(const Value& key) {
  const Style style = StyleOf(key);
  return style == Style::kRed ? 0 : style == Style::kYellow ? 1 : style == Style::kPlain ? 2 : 3;
}

std::vector<ScreenLine> LinesOf(const Table& table) {
  std::vector<ScreenLine> lines;
  if (table.empty()) return lines;
  const std::string text = table.Text();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back({text.substr(at, end - at), Style::kPlain, false});
    at = end + 1;
  }
  lines.front().style = Style::kBold;
  return lines;
}

Section KeysSection(const Snapshot& snapshot, const View& view, Size size) {
  using enum Table::Align;
  const std::vector<Window> windows = WindowsOf(ReadChild(snapshot.keys, "keys"));
  const std::size_t bar = BarWidth(size.columns, windows.size());
  std::vector<Table::Column> columns = {{"KEY"}, {"STATE"}};
  for (const Window& window : windows) columns.push_back({window.title, kRight});
  columns.insert(columns.end(), {{"BUSY", kRight}, {"MODEL"}, {"NOTE"}});
  Table table(std::move(columns));
  std::vector<std::pair<Style, bool>> looks;
  for (const Value& key : SortedKeys(snapshot, view.order)) {
    const std::string id = ReadText(key, "key_id");
    std::vector<std::string> models = ReadTexts(key, "models");
    if (models.empty()) models.emplace_back("-");
    for (std::size_t i = 0; i < models.size(); ++i) {
      const Value& usage = ReadChild(ReadChild(key, "usage"), models[i]);
      const bool first = i == 0;
      std::vector<std::string> cells = {first ? id : "", first ? StateOf(key) : ""};
      for (const Window& window : windows) {
        cells.push_back(Gauge(usage, window.name, bar, view.utf8));
      }
      cells.insert(cells.end(), {first ? Count(ReadInt(key, "in_flight")) : "", models[i],
                                 first ? NoteOf(key) : ""});
      table.Add(std::move(cells));
      looks.emplace_back(StyleOf(key), first && size.rows && id == view.selected);
    }
  }
  Section section{"KEYS (" + std::string(NameOf(view.order)) + ")", LinesOf(table), 0};
  for (std::size_t i = 0; i < looks.size(); ++i) {
    section.lines[i + 1].style = looks[i].first;
    section.lines[i + 1].selected = looks[i].second;
    if (looks[i].second) section.keep = i + 1;
  }
  return section;
}

Section WaitingSection(const Snapshot& snapshot) {
  const Value& rows = ReadChild(snapshot.queue, "waiting");
  return {"WAITING " + Count(static_cast<std::int64_t>(rows.size())), LinesOf(WaitingTable(rows)),
          0};
}

Section CallersSection(const Snapshot& snapshot) {
  using enum Table::Align;
  struct Counts {
    std::int64_t waiting = 0, in_flight = 0, recent = 0;
  };
  std::map<std::string, Counts> callers;
  const auto count = [&](const char* part, std::int64_t Counts::*counter) {
    for (const Value& row : ReadChild(snapshot.queue, part)) {
      ++(callers[Cell(ReadChild(row, "caller"))].*counter);
    }
  };
  count("waiting", &Counts::waiting);
  count("in_flight", &Counts::in_flight);
  count("recent", &Counts::recent);
  Table table({{"WAITING", kRight}, {"IN FLIGHT", kRight}, {"RECENT", kRight}, {"CALLER"}});
  for (const auto& [caller, counts] : callers) {
    table.Add({Count(counts.waiting), Count(counts.in_flight), Count(counts.recent), caller});
  }
  return {"CALLERS " + Count(static_cast<std::int64_t>(callers.size())), LinesOf(table), 0};
}

std::string AgeCell(const Value& row, const Snapshot& snapshot) {
  const auto now = ParseTime(ReadText(snapshot.health, "timestamp"));
  const std::string at = ReadText(row, "ended_at");
  return at.empty() || !now ? "-" : Relative(at, *now);
}

Section RequestsSection(const Snapshot& snapshot) {
  using enum Table::Align;
  Table table({{"REQUEST"},
               {"WHEN"},
               {"TOOK", kRight},
               {"WAITED", kRight},
               {"TRIES", kRight},
               {"KEY"},
               {"MODEL"},
               {"ID"}});
  std::vector<Style> styles;
  for (const Value& row : ReadChild(snapshot.queue, "in_flight")) {
    table.Add({"in flight", "now", DurationCell(row, "running_ms"), "-", "-",
               ReadText(row, "key_id"), ReadText(row, "model"), ReadText(row, "id")});
    styles.push_back(Style::kGreen);
  }
  for (const Value& row : ReadChild(snapshot.queue, "recent")) {
    const std::string state = ReadText(row, "state");
    const std::string key = ReadText(row, "key_id");
    table.Add({state, AgeCell(row, snapshot), DurationCell(row, "total_ms"),
               DurationCell(row, "waited_ms"), Cell(ReadChild(row, "attempts")),
               key.empty() ? "-" : key, ReadText(row, "model"), ReadText(row, "id")});
    styles.push_back(state == "answered" ? Style::kPlain : Style::kRed);
  }
  Section section{"REQUESTS in flight and the last ones", LinesOf(table), 0};
  for (std::size_t i = 0; i < styles.size(); ++i) section.lines[i + 1].style = styles[i];
  return section;
}

ScreenLine Heading(const Snapshot& snapshot, const View& view) {
  if (!snapshot.trouble.empty()) return {snapshot.trouble, Style::kRed, false};
  const Value& health = snapshot.health;
  const Value& keys = ReadChild(health, "key_manager");
  const Value& queue = ReadChild(health, "queue");
  const bool healthy = ReadBool(health, "healthy");
  std::string text =
      std::string(view.paused ? "PAUSED  " : "") + (healthy ? "healthy" : "unhealthy") +
      "  routerd " + ReadText(health, "version") + ", up " +
      Duration(milliseconds(ReadInt(health, "uptime_ms"))) + "  " +
      Count(ReadInt(keys, "active_keys")) + " of " + Count(ReadInt(keys, "total_keys")) +
      " keys active, " + Count(ReadInt(keys, "keys_in_cooldown")) + " cooling  " +
      Count(ReadInt(queue, "waiting")) + " waiting, " + Count(ReadInt(queue, "in_flight")) +
      " in flight";
  if (!ReadBool(ReadChild(health, "storage"), "healthy")) text += "  STORAGE NOT WRITABLE";
  return {std::move(text), healthy ? Style::kGreen : Style::kRed, false};
}

// How many of `total` lines each gets: one each in turn until all are served or none is left, so
// that a long section takes only what the short ones do not need.
std::vector<std::size_t> Share(const std::vector<std::size_t>& needs, std::size_t total) {
  std::vector<std::size_t> given(needs.size(), 0);
  for (bool progress = true; progress && total > 0;) {
    progress = false;
    for (std::size_t i = 0; i < needs.size() && total > 0; ++i) {
      if (given[i] >= needs[i]) continue;
      ++given[i];
      --total;
      progress = true;
    }
  }
  return given;
}

// The title, the header, and as many rows as fit in `room`, among them the one to keep.
void Append(std::vector<ScreenLine>& lines, const Section& section, std::size_t room) {
  if (room == 0) return;
  lines.push_back({section.title, Style::kBold, false});
  if (--room == 0 || section.lines.empty()) return;
  const std::size_t rows = section.lines.size() - 1;
  if (room == 1 && rows > 0) {  // the row says more than its header
    lines.push_back(section.lines[std::max<std::size_t>(section.keep, 1)]);
    return;
  }
  lines.push_back(section.lines.front());
  const std::size_t shown = std::min(room - 1, rows);
  const std::size_t first = section.keep > shown ? section.keep - shown : 0;
  for (std::size_t i = 0; i < shown; ++i) lines.push_back(section.lines[1 + first + i]);
}

void AppendSections(std::vector<ScreenLine>& lines, const Snapshot& snapshot, const View& view,
                    Size size) {
  const std::array sections = {KeysSection(snapshot, view, size), WaitingSection(snapshot),
                               CallersSection(snapshot), RequestsSection(snapshot)};
  std::vector<std::size_t> room;
  for (const Section& section : sections) room.push_back(section.Needs());
  if (size.rows) {
    const std::size_t total = *size.rows - std::min(*size.rows, lines.size() + 1);
    // On a small screen the keys alone.
    if (total < 3 * sections.size()) room = {total, 0, 0, 0};
    room = Share(room, total);
  }
  for (std::size_t i = 0; i < sections.size(); ++i) Append(lines, sections[i], room[i]);
}

}  // namespace

const char* NameOf(KeyOrder order) {
  switch (order) {
    case KeyOrder::kState:
      return "by state";
    case KeyOrder::kUse:
      return "by use";
    case KeyOrder::kConfigured:
      break;
  }
  return "as configured";
}

KeyOrder Next(KeyOrder order) {
  switch (order) {
    case KeyOrder::kConfigured:
      return KeyOrder::kState;
    case KeyOrder::kState:
      return KeyOrder::kUse;
    case KeyOrder::kUse:
      break;
  }
  return KeyOrder::kConfigured;
}

std::vector<Value> SortedKeys(const Snapshot& snapshot, KeyOrder order) {
  std::vector<Value> keys;
  for (const Value& key : ReadChild(snapshot.keys, "keys")) keys.push_back(key);
  if (order == KeyOrder::kState) {
    std::stable_sort(keys.begin(), keys.end(),
                     [](const Value& a, const Value& b) { return Rank(a) < Rank(b); });
  } else if (order == KeyOrder::kUse) {
    std::stable_sort(keys.begin(), keys.end(), [](const Value& a, const Value& b) {
      return LargestShareOf(a) > LargestShareOf(b);
    });
  }
  return keys;
}

std::vector<ScreenLine> Render(const Snapshot& snapshot, const View& view, Size size) {
  std::vector<ScreenLine> lines = {Heading(snapshot, view)};
  if (view.help) {
    for (const char* line : kHelp) lines.push_back({line, Style::kPlain, false});
  } else if (!snapshot.keys.is_null()) {
    AppendSections(lines, snapshot, view, size);
  }
  if (size.rows) {
    lines.resize(std::max<std::size_t>(*size.rows, 1) - 1);
    const bool asks = !view.message.empty();
    lines.push_back({asks ? view.message : kKeysLine, asks ? Style::kYellow : Style::kDim, false});
    if (*size.rows == 0) lines.clear();
  }
  for (ScreenLine& line : lines) {
    line.text = Printable(line.text);
    if (!view.utf8) line.text = Ascii(line.text);
    line.text = Cut(line.text, size.columns, view.utf8);
  }
  return lines;
}

}  // namespace requestrouter::routerctl
