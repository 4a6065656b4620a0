#include "daemon/config/object_reader.h"

#include <cmath>

namespace requestrouter::config {
namespace {

// Whether a string holds what would have been right without its quotes.
bool IsQuotedNumber(const Node& node) {
  return node.kind == Node::Kind::kString && !node.text.empty() && node.text.size() <= 20 &&
         node.text.find_first_not_of("0123456789") == std::string::npos;
}

bool IsQuotedDecimal(const Node& node) {
  return node.kind == Node::Kind::kString && !node.text.empty() && node.text.size() <= 20 &&
         node.text.find_first_not_of("0123456789.") == std::string::npos;
}

bool IsQuotedBool(const Node& node) {
  return node.kind == Node::Kind::kString &&
         (EditDistance(node.text, "true") == 0 || EditDistance(node.text, "false") == 0);
}

bool IsWhole(const Node& node) {
  return node.kind == Node::Kind::kNumber && std::floor(node.number) == node.number;
}

}  // namespace

bool HoldsSpace(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

bool IsComment(std::string_view name) {
  return name.substr(0, 1) == "_" || name.substr(0, 1) == "$" || name.substr(0, 2) == "//";
}

std::string WholeNumberRule(std::int64_t min, std::int64_t max) {
  if (max < kMostTokens && min != 1) {
    return "must be a whole number from " + std::to_string(min) + " to " + std::to_string(max);
  }
  return min == 1 ? "must be a positive whole number"
                  : "must be a whole number of at least " + std::to_string(min);
}

ObjectReader::ObjectReader(const Node& node, std::string path, Report& report)
    : node_(&node), path_(std::move(path)), report_(&report) {}

const Node* ObjectReader::Find(std::string_view name) const {
  const Member* member = node_->Find(name);
  return member == nullptr || member->value.kind == Node::Kind::kNull ? nullptr : &member->value;
}

std::string ObjectReader::PathOf(std::string_view name) const {
  const std::string shown = name.size() <= 64 ? std::string(name) : Quote(name);
  return path_.empty() ? shown : path_ + "." + shown;
}

int ObjectReader::LineOf(std::string_view name) const {
  const Member* member = node_->Find(name);
  return member == nullptr ? node_->line : member->line;
}

void ObjectReader::Error(std::string_view name, std::string message) const {
  report_->Error(LineOf(name), PathOf(name), std::move(message));
}

std::optional<std::int64_t> ObjectReader::Whole(std::string_view name, std::int64_t min,
                                                std::int64_t max) const {
  const Node* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (IsWhole(*value) && value->number > static_cast<double>(max)) {
    Error(name, "must be at most " + std::to_string(max) + ", is " + Describe(*value));
    return std::nullopt;
  }
  if (!IsWhole(*value) || value->number < static_cast<double>(min)) {
    Error(name, WholeNumberRule(min, max) + ", is " + Describe(*value) +
                    (IsQuotedNumber(*value) ? "; remove the quotes" : ""));
    return std::nullopt;
  }
  return static_cast<std::int64_t>(value->number);
}

std::optional<double> ObjectReader::NotNegative(std::string_view name) const {
  const Node* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Node::Kind::kNumber && value->number >= 0 && value->number <= 1e6) {
    return value->number;
  }
  Error(name, "must be a number from 0 to 1000000, is " + Describe(*value) +
                  (IsQuotedDecimal(*value) ? "; remove the quotes" : ""));
  return std::nullopt;
}

std::optional<bool> ObjectReader::Bool(std::string_view name) const {
  const Node* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Node::Kind::kBool) return value->boolean;
  Error(name, "must be true or false, is " + Describe(*value) +
                  (IsQuotedBool(*value) ? "; remove the quotes" : ""));
  return std::nullopt;
}

std::optional<std::string> ObjectReader::Text(std::string_view name) const {
  const Node* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Node::Kind::kString && !value->text.empty()) return value->text;
  Error(name, "must be a text that is not empty, is " + Describe(*value));
  return std::nullopt;
}

std::optional<std::string> ObjectReader::Name(std::string_view name) const {
  std::optional<std::string> text = Text(name);
  if (!text || !HoldsSpace(*text)) return text;
  Error(name, "must not hold spaces or control characters, is " + Quote(*text));
  return std::nullopt;
}

std::vector<std::string> ObjectReader::Texts(std::string_view name) const {
  const Node* value = Find(name);
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (value->kind != Node::Kind::kArray) {
    Error(name, "must be an array of texts, is " + Describe(*value));
    return texts;
  }
  for (std::size_t i = 0; i < value->items.size(); ++i) {
    const Node& item = value->items[i];
    if (item.kind == Node::Kind::kString && !item.text.empty()) {
      texts.push_back(item.text);
    } else {
      report_->Error(item.line, PathOf(name) + "[" + std::to_string(i) + "]",
                     "must be a text that is not empty, is " + Describe(item));
    }
  }
  return texts;
}

std::optional<ObjectReader> ObjectReader::Object(std::string_view name) const {
  const Node* value = Find(name);
  if (value == nullptr) return std::nullopt;
  if (value->kind == Node::Kind::kObject) return ObjectReader(*value, PathOf(name), *report_);
  Error(name, "must be an object, is " + Describe(*value));
  return std::nullopt;
}

std::string ObjectReader::WordRule(const std::vector<std::string>& words, const Node& value) {
  return "must be " + Enumerate(words) + ", is " + Describe(value) +
         (value.kind == Node::Kind::kString ? DidYouMean(value.text, words) : "");
}

void ObjectReader::MissingBeside(std::string_view name, const std::string& message,
                                 const std::vector<std::string_view>& known) const {
  std::string rename;
  for (const Member& member : node_->members) {
    const bool is_known = std::find(known.begin(), known.end(), member.name) != known.end();
    const std::string folded = Folded(member.name);
    if (is_known || folded.size() < 2) continue;
    if (Folded(name).find(folded) != std::string::npos || EditDistance(member.name, name) <= 2) {
      rename = "; rename " + Quote(member.name) + " to \"" + std::string(name) + '"';
    }
  }
  report_->Error(line(), path_, message + rename);
}

void ObjectReader::WarnOfOthers(const std::vector<std::string_view>& known) const {
  for (const Member& member : node_->members) {
    const bool is_known = std::find(known.begin(), known.end(), member.name) != known.end();
    if (is_known || IsComment(member.name)) continue;
    report_->Warn(member.line, path_,
                  "unknown field " + Quote(member.name) + DidYouMean(member.name, known));
  }
}

std::string Enumerate(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += '"' + words[i] + '"';
  }
  return text;
}

}  // namespace requestrouter::config
