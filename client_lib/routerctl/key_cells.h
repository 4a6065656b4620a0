#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client_lib/routerctl/console.h"
#include "ipc/value.h"

// A row of `keys.list` as people read it. Pure.
namespace requestrouter::routerctl {

// What one limit counts: its name in `keys.list`, and above its column.
struct Window {
  const char* name;
  const char* title;
};
// Requests and tokens a minute and requests a day; others where one of the keys has them.
std::vector<Window> WindowsOf(const ipc::Value& keys);

// "7/10", "7" where nothing limits it, "-" where it is not counted. `usage` is one model's.
std::string UsedOf(const ipc::Value& usage, std::string_view window);
// The used part of a limit, 0 to 1 and more; 0 where nothing limits it.
double ShareOf(const ipc::Value& usage, std::string_view window);
// Of the limit with the least room; of all models of a key.
double LargestShareOf(const ipc::Value& key);

// "ready", "cooling 1m 20s", "no secret", "inactive", …
std::string StateOf(const ipc::Value& key);
Console::Style StyleOf(const ipc::Value& key);
// Why it cools, or else its last error.
std::string NoteOf(const ipc::Value& key);

}  // namespace requestrouter::routerctl
