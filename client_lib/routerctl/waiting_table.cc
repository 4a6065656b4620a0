#include "client_lib/routerctl/waiting_table.h"

#include "client_lib/routerctl/cells.h"
#include "client_lib/src/read.h"

namespace requestrouter::routerctl {

using client::ReadChild;
using client::ReadText;
using ipc::Value;

Table WaitingTable(const Value& rows) {
  using enum Table::Align;
  Table table({{"POSITION", kRight},
               {"ETA", kRight},
               {"WAITED", kRight},
               {"PRIORITY"},
               {"MODEL"},
               {"CALLER"},
               {"AGENT"},
               {"ID"}});
  for (const Value& row : rows) {
    const std::string model = ReadText(row, "model");
    table.Add({Cell(ReadChild(row, "position")), DurationCell(row, "eta_ms"),
               DurationCell(row, "waited_ms"), ReadText(row, "priority"),
               model.empty() ? "any" : model, Cell(ReadChild(row, "caller")),
               ReadText(row, "agent"), ReadText(row, "id")});
  }
  return table;
}

}  // namespace requestrouter::routerctl
