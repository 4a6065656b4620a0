#include "client_lib/routerctl/key_cells.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "client_lib/routerctl/text.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {

using client::ReadBool;
using client::ReadChild;
using client::ReadOptionalInt;
using client::ReadText;
using ipc::Value;
using Style = Console::Style;

namespace {

struct Shown {
  Window window;
  bool always;
};
constexpr std::array kWindows = {Shown{{"rpm", "RPM"}, true},    Shown{{"tpm", "TPM"}, true},
                                 Shown{{"itpm", "ITPM"}, false}, Shown{{"otpm", "OTPM"}, false},
                                 Shown{{"rpd", "RPD"}, true},    Shown{{"tpd", "TPD"}, false}};

}  // namespace

std::vector<Window> WindowsOf(const Value& keys) {
  std::vector<Window> shown;
  for (const auto& [window, always] : kWindows) {
    const bool counted =
        std::any_of(keys.begin(), keys.end(), [name = window.name](const Value& key) {
          const Value& models = ReadChild(key, "usage");
          return std::any_of(models.begin(), models.end(), [name](const Value& usage) {
            return ReadOptionalInt(ReadChild(usage, name), "used").has_value();
          });
        });
    if (always || counted) shown.push_back(window);
  }
  return shown;
}

std::string UsedOf(const Value& usage, std::string_view window) {
  const Value& counter = ReadChild(usage, window);
  const auto used = ReadOptionalInt(counter, "used");
  const auto limit = ReadOptionalInt(counter, "limit");
  if (!used) return "-";
  return limit ? Count(*used) + "/" + Count(*limit) : Count(*used);
}

double ShareOf(const Value& usage, std::string_view window) {
  const Value& counter = ReadChild(usage, window);
  const auto used = ReadOptionalInt(counter, "used");
  const auto limit = ReadOptionalInt(counter, "limit");
  if (!used || !limit || *limit <= 0) return 0;
  return static_cast<double>(*used) / static_cast<double>(*limit);
}

double LargestShareOf(const Value& key) {
  double share = 0;
  for (const auto& [model, usage] : ReadChild(key, "usage").items()) {
    for (const auto& [window, always] : kWindows)
      share = std::max(share, ShareOf(usage, window.name));
  }
  return share;
}

std::string StateOf(const Value& key) {
  std::string state = ReadText(key, "state");
  if (!ReadBool(key, "active")) return "inactive";
  if (state == "no_secret") return "no secret";
  const auto remaining = ReadOptionalInt(ReadChild(key, "cooldown"), "remaining_ms");
  if (state != "cooling" || !remaining) return state;
  return "cooling " + Duration(std::chrono::milliseconds(*remaining));
}

Style StyleOf(const Value& key) {
  const std::string state = ReadText(key, "state");
  if (!ReadBool(key, "active")) return Style::kDim;
  if (state == "ready") return Style::kPlain;
  return state == "cooling" || state == "trial" ? Style::kYellow : Style::kRed;
}

std::string NoteOf(const Value& key) {
  std::string reason = ReadText(ReadChild(key, "cooldown"), "reason");
  if (!reason.empty()) return reason;
  const Value& error = ReadChild(key, "last_error");
  return error.is_string() ? error.get<std::string>() : ReadText(error, "message");
}

}  // namespace requestrouter::routerctl
