#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "client_lib/routerctl/top_view.h"

namespace requestrouter::routerctl {

// The terminal while it shows whole screens (ncurses). Gives it back as it was when it is
// destroyed. One at a time, one thread.
class Screen {
 public:
  // A key as ncurses names it: a character or one of its KEY_….
  using Key = int;

  // Fails (ok() is false) on a terminal that cannot place text.
  explicit Screen(bool color);
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  bool ok() const { return terminal_ != nullptr; }
  Size size() const;
  void Draw(const std::vector<ScreenLine>& lines);
  // The next key that is pressed or, after a change of size, kResized; nothing after `wait` or a
  // signal.
  std::optional<Key> Read(std::chrono::milliseconds wait);

  static const Key kUp, kDown, kResized;

 private:
  int AttributesOf(const ScreenLine& line) const;

  const bool color_;
  void* terminal_ = nullptr;  // ncurses' SCREEN
};

}  // namespace requestrouter::routerctl
