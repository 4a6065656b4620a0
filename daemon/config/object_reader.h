#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/config/json_tree.h"
#include "daemon/config/report.h"
#include "daemon/config/suggest.h"

namespace requestrouter::config {

// No limit of a provider is near it, and sums of a few thousand of them cannot overflow.
inline constexpr std::int64_t kMostTokens = 1'000'000'000'000;

// "must be a positive whole number", "must be a whole number from 0 to 100": what `Whole` wants.
std::string WholeNumberRule(std::int64_t min, std::int64_t max);

// One JSON object being read. What has the wrong type or lies out of range is reported with its
// line and path and then taken for absent; so is null, without a report.
class ObjectReader {
 public:
  // `node` and `report` outlive the reader; `node` is an object. `path` is empty for the root.
  ObjectReader(const Node& node, std::string path, Report& report);

  int line() const { return node_->line; }
  const std::string& path() const { return path_; }
  const Node& node() const { return *node_; }
  Report& report() const { return *report_; }

  // The value, or nullptr where it is absent or null.
  const Node* Find(std::string_view name) const;
  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  std::string PathOf(std::string_view name) const;
  int LineOf(std::string_view name) const;  // this object's where the name is absent

  std::optional<std::int64_t> Whole(std::string_view name, std::int64_t min,
                                    std::int64_t max) const;
  std::optional<double> NotNegative(std::string_view name) const;
  std::optional<bool> Bool(std::string_view name) const;
  std::optional<std::string> Text(std::string_view name) const;  // not empty
  // A text without spaces and control characters.
  std::optional<std::string> Name(std::string_view name) const;
  std::vector<std::string> Texts(std::string_view name) const;  // not empty ones
  std::optional<ObjectReader> Object(std::string_view name) const;

  // One of the words, as listed. Case does not matter.
  template <typename Words>
  std::optional<std::string> Word(std::string_view name, const Words& words) const {
    const Node* value = Find(name);
    if (value == nullptr) return std::nullopt;
    if (value->kind == Node::Kind::kString) {
      for (const auto& word : words) {
        if (EditDistance(value->text, word) == 0) return std::string(word);
      }
    }
    Error(name, WordRule(std::vector<std::string>(words.begin(), words.end()), *value));
    return std::nullopt;
  }

  // Reports what is wrong with the named value.
  void Error(std::string_view name, std::string message) const;

  // Reports that this object lacks `name`, and which of its fields, none of `known`, may be meant
  // to be it: "id" or "keyId" for "key_id".
  template <typename List>
  void Missing(std::string_view name, const std::string& message, const List& known) const {
    MissingBeside(name, message, {known.begin(), known.end()});
  }

  // Reports names that are not in any of the lists.
  template <typename... Lists>
  void WarnOfUnknown(const Lists&... lists) const {
    std::vector<std::string_view> known;
    (known.insert(known.end(), lists.begin(), lists.end()), ...);
    WarnOfOthers(known);
  }

 private:
  static std::string WordRule(const std::vector<std::string>& words, const Node& value);
  void WarnOfOthers(const std::vector<std::string_view>& known) const;
  void MissingBeside(std::string_view name, const std::string& message,
                     const std::vector<std::string_view>& known) const;

  const Node* node_;
  std::string path_;
  Report* report_;
};

// Whether a member of that name is a comment: see fields.h.
bool IsComment(std::string_view name);

// Or a control character: what no name of a model or group has, and a URL could not take.
bool HoldsSpace(std::string_view text);

// `"a", "b" or "c"`.
std::string Enumerate(const std::vector<std::string>& words);

}  // namespace requestrouter::config
