#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/config/object_reader.h"
#include "daemon/config/variables.h"

namespace requestrouter::config {

// Where settings come from: the block `config` (null: the file has none), and the variables, which
// win over it. What is wrong with a value is reported where it came from: that is the place to
// change.
class SettingSource {
 public:
  // Both outlive the source.
  SettingSource(const ObjectReader* block, const Variables& variables)
      : block_(block), variables_(variables) {}

  const ObjectReader* block() const { return block_; }
  const Variables& variables() const { return variables_; }

  std::optional<std::string> Text(std::string_view field, std::string_view variable) const;
  // `variable`: empty where none wins over the field.
  void Error(std::string_view field, std::string_view variable, std::string message) const;
  void Warn(std::string_view field, std::string_view variable, std::string message) const;

 private:
  const ObjectReader* block_;
  const Variables& variables_;
};

}  // namespace requestrouter::config
