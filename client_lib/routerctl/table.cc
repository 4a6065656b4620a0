#include "client_lib/routerctl/table.h"

#include <algorithm>
#include <utility>

#include "client_lib/routerctl/text.h"

namespace requestrouter::routerctl {
namespace {

constexpr const char* kReset = "\033[0m";

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::Add(std::vector<std::string> cells, std::string style) {
  for (std::string& cell : cells) cell = Printable(cell);
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), std::move(style)});
}

std::string Table::Text(const std::string& header_style) const {
  const std::vector<std::size_t> widths = Widths();
  Row header{{}, header_style};
  for (const Column& column : columns_) header.cells.push_back(column.title);
  std::string text = Line(header, widths);
  for (const Row& row : rows_) text += Line(row, widths);
  return text;
}

std::vector<std::size_t> Table::Widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = Width(columns_[i].title);
    for (const Row& row : rows_) widest = std::max(widest, Width(row.cells[i]));
    widths.push_back(widest);
  }
  return widths;
}

std::string Table::Line(const Row& row, const std::vector<std::size_t>& widths) const {
  std::string line;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string padding(widths[i] - Width(row.cells[i]), ' ');
    const bool right = columns_[i].align == Align::kRight;
    if (i > 0) line += "  ";
    line += right ? padding + row.cells[i] : row.cells[i] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  if (!row.style.empty()) line = row.style + line + kReset;
  return line + "\n";
}

}  // namespace requestrouter::routerctl
