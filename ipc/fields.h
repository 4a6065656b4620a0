#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ipc/error.h"
#include "ipc/value.h"

namespace requestrouter::ipc {

// Reads the keys of one map and remembers the first thing that is wrong, naming the key by its
// path ("messages[2].role"). Every reader returns its default for a key that is missing, null or
// wrong. Keys that are not asked for are ignored, as PROTOCOL.md wants.
class Fields {
 public:
  // `map` and `error` outlive the object. A value that is no map is the first mistake.
  Fields(const Value& map, std::string path, std::optional<Error>* error);

  bool Has(const char* key) const { return Find(key) != nullptr; }
  std::string Path(const char* key) const;
  void Fail(const char* key, const std::string& problem);

  struct Bounds {
    std::int64_t least;
    std::int64_t most;
  };

  std::string Text(const char* key, std::size_t most_bytes = SIZE_MAX);
  std::optional<std::string> OptionalText(const char* key, std::size_t most_bytes = SIZE_MAX);
  // A text that has to be there and not be empty.
  std::string RequiredText(const char* key, std::size_t most_bytes = SIZE_MAX);
  bool Flag(const char* key, bool fallback);
  std::optional<bool> OptionalFlag(const char* key);
  std::int64_t Integer(const char* key, std::int64_t fallback, Bounds bounds);
  std::optional<std::int64_t> OptionalInteger(const char* key, Bounds bounds);
  std::optional<double> OptionalNumber(const char* key, double least, double most);
  // The map at `key`; null where there is none.
  Value Map(const char* key);
  // The array at `key`; nullptr where there is none.
  const Value* Array(const char* key, std::size_t most_elements);
  // Whatever is at `key`; nullptr where there is nothing.
  const Value* Find(const char* key) const;

  // One of the names that `from_name` knows; `choices` lists them for the message.
  template <typename Enum>
  Enum Choice(const char* key, std::optional<Enum> (*from_name)(std::string_view), Enum fallback,
              const char* choices) {
    if (!Has(key)) return fallback;
    const std::optional<Enum> found = from_name(Text(key));
    if (!found) Fail(key, std::string("must be one of ") + choices);
    return found.value_or(fallback);
  }

 private:
  const Value& map_;
  const std::string path_;
  std::optional<Error>* error_;
};

// What a value is, in the words of the protocol: "a str", "an int", ...
std::string TypeName(const Value& value);

// A whole number, also where it came as a float without a fraction: several MessagePack libraries
// write 2.0 for 2. nullopt: it is none, or does not fit.
std::optional<std::int64_t> WholeNumber(const Value& value);

}  // namespace requestrouter::ipc
