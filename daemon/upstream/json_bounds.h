#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

#include "ipc/value.h"

// JSON to and from text that others wrote. Pure.
//
// Reading is simdjson's and writing is done here, because with nlohmann-json, whose values these
// are, the two took a third of a request's CPU. What simdjson refuses is left to nlohmann-json to
// judge, which is the authority: it takes integers of any size. The bounds in front of that are
// written by hand because it has none: it builds values of any depth, whose dump() and copy then
// overflow the stack, and an object that keeps the order of its keys is searched from its start for
// every key that is added, so that one with a million keys takes minutes.
namespace requestrouter::upstream {

inline constexpr std::size_t kMaxJsonDepth = 64;
// The sum over all objects of the square of their keys: one object of 16,384 keys, or 4,096 of 256.
inline constexpr std::size_t kMaxJsonKeyWork = std::size_t{1} << 28;

// A value, or what is wrong with its text; as tl::expected, but sooner freed (ipc::Dismantle).
class ParsedJson {
 public:
  explicit ParsedJson(tl::expected<ipc::Value, std::string> result) : result_(std::move(result)) {}
  ParsedJson(const ParsedJson&) = delete;
  ParsedJson& operator=(const ParsedJson&) = delete;
  ~ParsedJson() {
    if (result_) ipc::Dismantle(&*result_);
  }

  explicit operator bool() const { return result_.has_value(); }
  const std::string& error() const { return result_.error(); }
  const ipc::Value& operator*() const& { return *result_; }
  const ipc::Value* operator->() const { return &*result_; }
  ipc::Value&& operator*() && { return *std::move(result_); }

 private:
  tl::expected<ipc::Value, std::string> result_;
};

// Fails for malformed JSON (invalid UTF-8 included) and for what exceeds the bounds.
ParsedJson ParseJson(std::string_view text);

// Compact JSON. Invalid UTF-8 becomes U+FFFD; never throws.
std::string DumpJson(const ipc::Value& value);

}  // namespace requestrouter::upstream
