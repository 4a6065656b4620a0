#pragma once

#include <string>
#include <vector>

namespace requestrouter::routerctl {

// Aligned columns for people: a header line and rows, two spaces apart, no trailing blanks.
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kLeft;
  };

  explicit Table(std::vector<Column> columns);

  // As many cells as columns. `style` is an escape sequence around the row, or empty.
  void Add(std::vector<std::string> cells, std::string style = {});

  bool empty() const { return rows_.empty(); }

  // The whole table, each line ended. `header_style` as in Add.
  std::string Text(const std::string& header_style = {}) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string style;
  };
  std::vector<std::size_t> Widths() const;
  std::string Line(const Row& row, const std::vector<std::size_t>& widths) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace requestrouter::routerctl
