#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

// JSON text as a tree in which every value knows its line. nlohmann-json reads the text, but its
// own tree keeps neither positions (before 3.12) nor duplicate names, and messages need both.
namespace requestrouter::config {

struct Member;

struct Node {
  enum class Kind : std::uint8_t { kNull, kBool, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  int line = 0;  // where the value begins
  bool boolean = false;
  double number = 0;
  std::string text;             // a string's value, or a number as it was written
  std::vector<Node> items;      // of an array
  std::vector<Member> members;  // of an object, in order, duplicates included

  // The first member of that name, or nullptr.
  const Member* Find(std::string_view name) const;
};

struct Member {
  std::string name;
  int line = 0;
  int first_line = 0;  // of the same name earlier in this object; 0: there is none
  Node value;
};

struct SyntaxError {
  int line = 0;
  int column = 0;  // in bytes, from 1
  std::string message;
};

inline constexpr std::size_t kMaxJsonDepth = 32;

// Reads strict JSON in UTF-8, with or without a byte order mark. Deeper nesting than kMaxJsonDepth
// is an error.
tl::expected<Node, SyntaxError> ParseJson(std::string_view text);

// A value in words, for messages: `-5`, `"fast"` (shortened), `an array`.
std::string Describe(const Node& node);

// Text within quotes, shortened to 40 bytes, without control characters.
std::string Quote(std::string_view text);

}  // namespace requestrouter::config
