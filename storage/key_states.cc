#include "storage/tables.h"

namespace requestrouter::storage {

void SaveKeyState(Database& database, const KeyState& state) {
  database
      .Prepare(state.disabled_by_operator
                   ? "INSERT INTO disabled_keys VALUES (?) ON CONFLICT DO NOTHING"
                   : "DELETE FROM disabled_keys WHERE key_id = ?")
      .Bind(1, std::string_view(state.key_id))
      .Run();
  database.Prepare("INSERT OR REPLACE INTO key_states VALUES (?, ?, ?, ?, ?, ?)")
      .Bind(1, std::string_view(state.key_id))
      .Bind(2, std::string_view(state.state))
      .Bind(3, state.until)
      .Bind(4, std::string_view(state.reason))
      .Bind(5, std::string_view(state.source))
      .Bind(6, state.strikes)
      .Run();
}

std::vector<KeyState> ReadKeyStates(Database& database) {
  Statement rows = database.Prepare(
      "SELECT key_id, state, until, reason, source, strikes,"
      " key_id IN (SELECT key_id FROM disabled_keys) FROM key_states");
  std::vector<KeyState> states;
  while (rows.Step()) {
    states.push_back({rows.Text(0), rows.Text(1), rows.Integer(2), rows.Text(3), rows.Text(4),
                      rows.Integer(5), rows.Integer(6) != 0});
  }
  return states;
}

}  // namespace requestrouter::storage
