#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "client_lib/routerctl/console.h"
#include "ipc/value.h"

// What `routerctl top` shows, as lines of text: what was asked of the daemon, what the person is
// doing, and the size of the screen make the picture. Pure.
namespace requestrouter::routerctl {

// What the daemon said at one time.
struct Snapshot {
  ipc::Value health;  // the bodies of these operations' replies; null where there is none
  ipc::Value keys;
  ipc::Value queue;     // with `recent`
  std::string trouble;  // why there is no news: the daemon does not answer, or refused
};

enum class KeyOrder { kConfigured, kState, kUse };
const char* NameOf(KeyOrder order);
KeyOrder Next(KeyOrder order);

// The keys in the order in which they are shown: as configured, those that cannot be used first,
// or the most used first.
std::vector<ipc::Value> SortedKeys(const Snapshot& snapshot, KeyOrder order);

struct View {
  std::string selected;  // key_id
  KeyOrder order = KeyOrder::kConfigured;
  bool paused = false;
  bool help = false;
  // The last line: a question or what came of an action. Empty: the keys that can be pressed.
  std::string message;
  bool utf8 = true;  // otherwise ASCII alone is written
};

// In columns and lines. No `rows`: as many as there is something to say.
struct Size {
  std::size_t columns = 80;
  std::optional<std::size_t> rows;
};

struct ScreenLine {
  std::string text;  // at most Size::columns wide
  Console::Style style = Console::Style::kPlain;
  bool selected = false;
};

// At most Size::rows lines, the last one the message's. Without rows: no message, no selection.
std::vector<ScreenLine> Render(const Snapshot& snapshot, const View& view, Size size);

}  // namespace requestrouter::routerctl
