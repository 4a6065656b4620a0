#include <optional>
#include <string_view>

#include "daemon/config/config.h"
#include "daemon/config/text_file.h"

namespace requestrouter::config {
namespace {

using Result = tl::expected<std::string, std::string>;  // a value, or what is wrong with it

bool IsBlank(char c) { return c == ' ' || c == '\t'; }

std::string_view TrimLeft(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  return text;
}

std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsNameCharacter(char c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  // Beyond a shell's names: whatever a key_id may hold.
  return alphanumeric || std::string_view("_-.:@+").find(c) != std::string_view::npos;
}

bool IsName(std::string_view name) {
  if (name.empty() || (name.front() >= '0' && name.front() <= '9')) return false;
  for (const char c : name) {
    if (!IsNameCharacter(c)) return false;
  }
  return true;
}

bool IsNothingOrComment(std::string_view rest) {
  rest = TrimLeft(rest);
  return rest.empty() || rest.front() == '#';
}

// The character that `\c` stands for within double quotes, or nullopt: it stands for itself.
std::optional<char> Escaped(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case '"':
    case '\\':
    case '$':
      return c;
    default:
      return std::nullopt;
  }
}

Result Quoted(std::string_view text) {
  const char quote = text.front();
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      if (IsNothingOrComment(text.substr(i + 1))) return value;
      return tl::unexpected<std::string>("there is text after the closing quote; remove it");
    }
    const bool escape = text[i] == '\\' && i + 1 < text.size();
    if (escape && quote == '\'' && text[i + 1] == '\'') {
      value += text[++i];
    } else if (const auto c = escape && quote == '"' ? Escaped(text[i + 1]) : std::nullopt) {
      value += *c;
      ++i;
    } else {
      value += text[i];
    }
  }
  return tl::unexpected<std::string>(std::string("the closing quote (") + quote +
                                     ") is missing on this line");
}

std::string Unquoted(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '#' && IsBlank(text[i - 1])) return std::string(TrimRight(text.substr(0, i)));
  }
  return std::string(TrimRight(text));
}

Result Value(std::string_view text) {
  const std::string_view trimmed = TrimLeft(text);
  if (trimmed.empty()) return std::string();
  if (trimmed.front() == '"' || trimmed.front() == '\'') return Quoted(trimmed);
  if (trimmed.front() == '#' && trimmed.size() < text.size()) return std::string();  // a comment
  return Unquoted(trimmed);
}

// Reads the lines of one file into a Dotenv. Messages never hold a value: it may be a secret.
class Reader {
 public:
  explicit Reader(std::string path) { dotenv_.path = std::move(path); }

  void Line(std::string_view line, int number) {
    line = TrimLeft(line);
    if (line.empty() || line.front() == '#') return;
    if (line.substr(0, 7) == "export " || line.substr(0, 7) == "export\t") {
      line = TrimLeft(line.substr(7));
    }
    const auto equals = line.find('=');
    const std::string_view name = TrimRight(line.substr(0, equals));
    if (equals == std::string_view::npos) {
      Fail(number, "", "expected NAME=VALUE");
    } else if (!IsName(name)) {
      Fail(number, "", "the name before '=' must be of letters, digits, '_', '-' and '.'");
    } else {
      Assign(std::string(name), line.substr(equals + 1), number);
    }
  }

  void Fail(int line, std::string name, std::string message) {
    errors_.push_back({dotenv_.path, line, std::move(name), std::move(message)});
  }

  tl::expected<Dotenv, std::vector<Problem>> Take() {
    if (!errors_.empty()) return tl::unexpected(std::move(errors_));
    return std::move(dotenv_);
  }

 private:
  void Assign(std::string name, std::string_view text, int line) {
    if (text.find('\0') != std::string_view::npos) {
      return Fail(line, std::move(name), "the value holds a NUL byte; remove it");
    }
    Result value = Value(text);
    if (!value) return Fail(line, std::move(name), std::move(value.error()));
    const auto [at, is_new] = dotenv_.lines.emplace(name, line);
    if (!is_new) {
      dotenv_.warnings.push_back({dotenv_.path, line, name,
                                  "also set on line " + std::to_string(at->second) +
                                      "; this one holds, remove the other"});
      at->second = line;
    }
    dotenv_.values.insert_or_assign(std::move(name), std::move(*value));
  }

  Dotenv dotenv_;
  std::vector<Problem> errors_;
};

}  // namespace

tl::expected<Dotenv, std::vector<Problem>> ReadDotenv(const std::string& path) {
  Reader reader(path);
  const auto file = ReadTextFile(path);
  if (!file) {
    reader.Fail(0, "", file.error());
    return reader.Take();
  }
  std::string_view rest = *file;
  if (rest.substr(0, 2) == "\xff\xfe" || rest.substr(0, 2) == "\xfe\xff") {
    reader.Fail(0, "", "is UTF-16 text; save it as UTF-8");
    return reader.Take();
  }
  if (rest.substr(0, 3) == "\xef\xbb\xbf") rest.remove_prefix(3);  // a UTF-8 byte order mark
  for (int number = 1; !rest.empty(); ++number) {
    const auto newline = rest.find('\n');
    std::string_view line = rest.substr(0, newline);
    rest.remove_prefix(newline == std::string_view::npos ? rest.size() : newline + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    reader.Line(line, number);
  }
  return reader.Take();
}

}  // namespace requestrouter::config
