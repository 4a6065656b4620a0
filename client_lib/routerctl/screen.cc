#include "client_lib/routerctl/screen.h"

// The wide variant's declarations; its functions take UTF-8 where LC_CTYPE says so.
#define NCURSES_WIDECHAR 1
#include <ncurses.h>

#include <clocale>
#include <cstdio>

namespace requestrouter::routerctl {
namespace {

using Style = Console::Style;

enum Pair : short { kNoPair = 0, kGreenPair, kYellowPair, kRedPair };

void StartColors() {
  start_color();
  use_default_colors();
  init_pair(kGreenPair, COLOR_GREEN, -1);
  init_pair(kYellowPair, COLOR_YELLOW, -1);
  init_pair(kRedPair, COLOR_RED, -1);
}

}  // namespace

const Screen::Key Screen::kUp = KEY_UP;
const Screen::Key Screen::kDown = KEY_DOWN;
const Screen::Key Screen::kResized = KEY_RESIZE;

Screen::Screen(bool color) : color_(color) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  terminal_ = newterm(nullptr, stdout, stdin);
  if (!terminal_) return;
  cbreak();
  noecho();
  curs_set(0);
  keypad(stdscr, TRUE);
  set_escdelay(25);
  if (color_ && has_colors()) StartColors();
}

Screen::~Screen() {
  if (!terminal_) return;
  endwin();
  delscreen(static_cast<SCREEN*>(terminal_));
}

Size Screen::size() const {
  return {static_cast<std::size_t>(getmaxx(stdscr)), static_cast<std::size_t>(getmaxy(stdscr))};
}

int Screen::AttributesOf(const ScreenLine& line) const {
  int attributes = line.selected ? A_REVERSE : A_NORMAL;
  if (line.style == Style::kBold) attributes |= A_BOLD;
  if (!color_ || !has_colors()) return attributes;
  if (line.style == Style::kDim) attributes |= A_DIM;
  if (line.style == Style::kGreen) attributes |= COLOR_PAIR(kGreenPair);
  if (line.style == Style::kYellow) attributes |= COLOR_PAIR(kYellowPair);
  if (line.style == Style::kRed) attributes |= COLOR_PAIR(kRedPair);
  return attributes;
}

void Screen::Draw(const std::vector<ScreenLine>& lines) {
  erase();
  int row = 0;
  for (const ScreenLine& line : lines) {
    attrset(AttributesOf(line));
    mvaddstr(row++, 0, line.text.c_str());
  }
  attrset(A_NORMAL);
  refresh();
}

std::optional<Screen::Key> Screen::Read(std::chrono::milliseconds wait) {
  timeout(static_cast<int>(wait.count()));
  const int key = getch();
  return key == ERR ? std::nullopt : std::optional<Key>(key);
}

}  // namespace requestrouter::routerctl
