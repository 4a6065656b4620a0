#include "wire_dump.h"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <sstream>

#include "ipc/quote.h"

namespace requestrouter::ipc {
namespace {

constexpr std::size_t kBytesOfALine = 24;

std::string Hex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char byte : bytes) {
    if (!hex.empty()) hex += ' ';
    hex += kDigits[static_cast<std::uint8_t>(byte) >> 4];
    hex += kDigits[static_cast<std::uint8_t>(byte) & 15];
  }
  return hex;
}

class Dumper {
 public:
  explicit Dumper(std::string_view bytes) : rest_(bytes) {}

  void Value(int depth) {
    const auto first = static_cast<std::uint8_t>(rest_.front());
    if (first < 0x80 || first >= 0xe0) return Line(depth, 1, "int");
    if (first < 0x90) return Container(depth, 1, first & 15, "map", 2);
    if (first < 0xa0) return Container(depth, 1, first & 15, "array", 1);
    if (first < 0xc0) return Text(depth, 1, first & 31);
    switch (first) {
      case 0xc0:
        return Line(depth, 1, "nil");
      case 0xc2:
        return Line(depth, 1, "false");
      case 0xc3:
        return Line(depth, 1, "true");
      case 0xc4:
      case 0xc5:
      case 0xc6: {
        const std::size_t header = 1 + (std::size_t{1} << (first - 0xc4));
        return Line(depth, header + Size(header - 1), "bin");
      }
      case 0xcb:
        return Line(depth, 9, "float");
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        return Line(depth, 1 + (std::size_t{1} << (first - 0xcc)), "int");
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        return Line(depth, 1 + (std::size_t{1} << (first - 0xd0)), "int");
      case 0xd9:
      case 0xda:
      case 0xdb: {
        const std::size_t header = 1 + (std::size_t{1} << (first - 0xd9));
        return Text(depth, header, Size(header - 1));
      }
      case 0xdc:
      case 0xdd:
        return Container(depth, first == 0xdc ? 3 : 5, Size(first == 0xdc ? 2 : 4), "array", 1);
      case 0xde:
      case 0xdf:
        return Container(depth, first == 0xde ? 3 : 5, Size(first == 0xde ? 2 : 4), "map", 2);
      default:
        std::abort();  // the protocol has no float of 32 bits in what is written, nor extensions
    }
  }

  std::string Take() { return out_.str(); }

 private:
  // The big-endian number behind the first byte.
  std::size_t Size(std::size_t bytes) const {
    std::size_t size = 0;
    for (std::size_t i = 1; i <= bytes; ++i) {
      size = size << 8 | static_cast<std::uint8_t>(rest_.at(i));
    }
    return size;
  }

  void Text(int depth, std::size_t header, std::size_t size) {
    Line(depth, header + size, Quoted(rest_.substr(header, size)));
  }

  void Container(int depth, std::size_t header, std::size_t size, const std::string& kind,
                 std::size_t values) {
    Line(depth, header, kind + " of " + std::to_string(size));
    for (std::size_t i = 0; i < size * values; ++i) {
      Value(depth + 1 + (values == 2 && i % 2 == 1 ? 1 : 0));
    }
  }

  void Line(int depth, std::size_t size, const std::string& meaning) {
    const std::string indent(static_cast<std::size_t>(2 * depth), ' ');
    for (std::size_t at = 0; at < size; at += kBytesOfALine) {
      out_ << indent << Hex(rest_.substr(at, std::min(kBytesOfALine, size - at)));
      if (at == 0) out_ << "  # " << meaning;
      out_ << '\n';
    }
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
  std::ostringstream out_;
};

}  // namespace

std::string DumpWire(std::string_view comment, std::string_view bytes) {
  Dumper dumper(bytes);
  dumper.Value(0);
  return "# " + std::string(comment) + "\n" + dumper.Take();
}

std::string ParseWire(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string line;
  std::string digits;
  std::string bytes;
  while (std::getline(lines, line)) {
    for (const char digit : line.substr(0, line.find('#'))) {
      if (std::isspace(static_cast<unsigned char>(digit))) continue;
      digits += digit;
      if (digits.size() < 2) continue;
      bytes += static_cast<char>(std::stoi(digits, nullptr, 16));
      digits.clear();
    }
  }
  return bytes;
}

}  // namespace requestrouter::ipc
