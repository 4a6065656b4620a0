#include "daemon/config/json_tree.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <unordered_map>

#include <nlohmann/json.hpp>

namespace requestrouter::config {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

// Where the parser is: the last character it took that is not white space. That is the end of the
// current token, because the parser reads at most one character ahead, and a character that ends
// a token without belonging to it is either white space or on the token's own line.
struct Position {
  const char* at = nullptr;
  const char* line_begin = nullptr;
  int line = 1;

  int column() const { return at == nullptr ? 1 : static_cast<int>(at - line_begin) + 1; }
};

// Counts the lines of what the parser takes. Copies share the count.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  struct State {
    Position position;
    int line = 1;
    const char* line_begin = nullptr;
  };

  CountingIterator(const char* at, State* state) : at_(at), state_(state) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') {
      ++state_->line;
      state_->line_begin = at_ + 1;
    } else if (!IsSpace(*at_)) {
      state_->position = {at_, state_->line_begin, state_->line};
    }
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  State* state_;
};

// The library's words without its prefix and without the text it last read, which may be long or
// hold what does not belong in a log.
std::string Reason(std::string_view what) {
  const auto dash = what.find(" - ");
  if (dash == std::string_view::npos) {
    return what.find("number overflow") != std::string_view::npos ? "the number is too large"
                                                                  : "not valid JSON";
  }
  std::string reason(what.substr(dash + 3));
  const auto read = reason.find("; last read: '");
  if (read != std::string::npos) {
    const auto expected = reason.rfind("'; expected ");
    reason =
        reason.substr(0, read) + (expected == std::string::npos ? "" : reason.substr(expected + 1));
  }
  for (const char* close : {"; expected '}'", "; expected ']'"}) {  // where a comma does as well
    const auto at = reason.find(close);
    if (at != std::string::npos) reason.insert(at + 11, "',' or ");
  }
  return reason;
}

// What people who write JSON by hand get wrong most often.
std::string Hint(std::string_view before, std::string_view rest) {
  const std::string_view token = rest.substr(0, 1);
  while (!before.empty() && IsSpace(before.back())) before.remove_suffix(1);
  const bool closes = token == "}" || token == "]";
  if (closes && !before.empty() && before.back() == ',') {
    return " (remove the comma before it)";
  }
  if (token.starts_with("/") || token.starts_with("#")) return " (JSON has no comments)";
  if (token.starts_with("'")) return " (JSON strings are in double quotes)";
  if (before.empty() && token != "{" && token != "[") {
    return " (this is not JSON, which begins with '{')";
  }
  if (rest.substr(0, 3) == "NaN" || rest.substr(0, 3) == "Inf") return " (a number is needed)";
  if (token.starts_with("T") || token.starts_with("F") || token.starts_with("N")) {
    return " (JSON writes true, false and null in lower case)";
  }
  return "";
}

// Builds the tree from the parser's events.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, const CountingIterator::State& state)
      : text_(text), state_(state) {}

  bool null() override { return Add(Node::Kind::kNull) != nullptr; }
  bool boolean(bool value) override {
    Add(Node::Kind::kBool)->boolean = value;
    return true;
  }
  bool number_integer(number_integer_t value) override {
    return AddNumber(static_cast<double>(value), std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return AddNumber(static_cast<double>(value), std::to_string(value));
  }
  bool number_float(number_float_t value, const string_t& raw) override {
    return AddNumber(value, raw);
  }
  bool string(string_t& value) override {
    Add(Node::Kind::kString)->text = std::move(value);
    return true;
  }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool start_object(std::size_t) override { return Open(Node::Kind::kObject); }
  bool key(string_t& name) override {
    const int line = state_.position.line;
    const auto [first, is_new] = names_.back().emplace(name, line);
    open_.back()->members.push_back({std::move(name), line, is_new ? 0 : first->second, Node{}});
    return true;
  }
  bool end_object() override { return Close(); }
  bool start_array(std::size_t) override { return Open(Node::Kind::kArray); }
  bool end_array() override { return Close(); }

  bool parse_error(std::size_t, const std::string& last_token,
                   const nlohmann::detail::exception& error) override {
    const Position& end = state_.position;
    const std::string reason = Reason(error.what());
    const std::size_t line_begin = static_cast<std::size_t>(end.line_begin - text_.data());
    std::size_t at = line_begin + static_cast<std::size_t>(end.column()) - 1;
    // Of strings and numbers `last_token` is the whole token, which begins earlier.
    const bool whole = reason.starts_with("unexpected string") ||
                       reason.starts_with("unexpected number") || reason.starts_with("the number");
    const auto begin = whole ? text_.rfind(last_token, at) : std::string_view::npos;
    if (begin != std::string_view::npos && begin >= line_begin && !last_token.empty()) at = begin;
    error_ = {end.line, static_cast<int>(at - line_begin) + 1,
              reason + Hint(text_.substr(0, at), text_.substr(std::min(at, text_.size())))};
    return false;
  }

  Node& root() { return root_; }
  const SyntaxError& error() const { return error_; }

 private:
  Node* Add(Node::Kind kind) {
    Node* node = &root_;
    if (!open_.empty()) {
      Node& parent = *open_.back();
      if (parent.kind == Node::Kind::kArray) {
        node = &parent.items.emplace_back();
      } else {
        node = &parent.members.back().value;
      }
    }
    node->kind = kind;
    node->line = state_.position.line;
    return node;
  }

  bool AddNumber(double value, std::string text) {
    Node* node = Add(Node::Kind::kNumber);
    node->number = value;
    node->text = std::move(text);
    return true;
  }

  bool Open(Node::Kind kind) {
    if (open_.size() == kMaxJsonDepth) {
      error_ = {state_.position.line, state_.position.column(),
                "nested deeper than " + std::to_string(kMaxJsonDepth) + " levels"};
      return false;
    }
    open_.push_back(Add(kind));
    names_.emplace_back();
    return true;
  }

  bool Close() {
    open_.pop_back();
    names_.pop_back();
    return true;
  }

  std::string_view text_;
  const CountingIterator::State& state_;
  Node root_;
  // The containers that are open, outermost first. The pointers stay valid, because nothing is
  // added to a container while one inside it is open.
  std::vector<Node*> open_;
  std::vector<std::unordered_map<std::string, int>> names_;  // and the lines of their members
  SyntaxError error_;
};

}  // namespace

const Member* Node::Find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member;
  }
  return nullptr;
}

tl::expected<Node, SyntaxError> ParseJson(std::string_view text) {
  if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff")) {
    return tl::unexpected(SyntaxError{1, 1, "is UTF-16 text; save it as UTF-8"});
  }
  CountingIterator::State state;
  state.line_begin = text.data();
  Builder builder(text, state);
  const CountingIterator begin(text.data(), &state);
  const CountingIterator end(text.data() + text.size(), &state);
  if (!nlohmann::json::sax_parse(begin, end, &builder)) return tl::unexpected(builder.error());
  return std::move(builder.root());
}

std::string Quote(std::string_view text) {
  std::size_t shown = std::min<std::size_t>(text.size(), 40);
  const auto continues = [&](std::size_t i) {  // a character that began before
    return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80;
  };
  while (shown > 0 && continues(shown)) --shown;
  std::string quoted = "\"";
  for (const char c : text.substr(0, shown)) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return quoted + (text.size() > shown ? "…\"" : "\"");
}

std::string Describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kNull:
      return "null";
    case Node::Kind::kBool:
      return node.boolean ? "true" : "false";
    case Node::Kind::kNumber:
      return node.text.size() <= 40 ? node.text : node.text.substr(0, 40) + "…";
    case Node::Kind::kString:
      return Quote(node.text);
    case Node::Kind::kArray:
      return "an array";
    case Node::Kind::kObject:
      return "an object";
  }
  return "";
}

}  // namespace requestrouter::config
