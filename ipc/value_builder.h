#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <msgpack/null_visitor.hpp>

#include "ipc/decode_payload.h"

namespace requestrouter::ipc {

// Builds a Value from the events of msgpack-c's parser, which reads without allocating: containers
// are reserved only once their claimed size has been charged to the payload's budget of elements.
// After the first mistake nothing is built any more and the rest is only searched for the id.
// The visit_* and start_* functions return false to end the parse.
class ValueBuilder : public msgpack::null_visitor {
 public:
  explicit ValueBuilder(const Limits& limits) : limits_(limits) {}

  // Records a mistake of the payload as a whole, before or after the parse.
  void Refuse(Error error);
  // The result, once the parse has ended.
  DecodedPayload Take() &&;
  // Whether the parser ran out of bytes or met an invalid one.
  bool broken() const { return broken_; }

  bool visit_nil();
  bool visit_boolean(bool value);
  bool visit_positive_integer(std::uint64_t value);
  bool visit_negative_integer(std::int64_t value);
  bool visit_float32(float value);
  bool visit_float64(double value);
  bool visit_str(const char* data, std::uint32_t size);
  bool visit_bin(const char* data, std::uint32_t size);
  bool visit_ext(const char* data, std::uint32_t size);
  bool start_array(std::uint32_t size);
  bool start_array_item();
  bool end_array();
  bool start_map(std::uint32_t size);
  bool start_map_key();
  bool end_map_key();
  bool end_map();
  void parse_error(std::size_t, std::size_t) { broken_ = true; }
  void insufficient_bytes(std::size_t, std::size_t) { broken_ = true; }

 private:
  // A container that is not complete yet.
  struct Frame {
    Value container;
    std::string_view key;    // of the entry at hand
    std::uint64_t next = 0;  // the number of elements begun
    bool in_key = false;
  };

  bool building() const { return !result_.error; }
  bool InKey() const { return !frames_.empty() && frames_.back().in_key; }
  bool Count();
  // `make` gives the value; it is not called where nothing is built.
  template <typename Make>
  bool Scalar(const char* type, Make make);
  bool Key(std::string_view text);
  void NoticeId(std::string_view text);
  bool Open(Value container, const char* type, std::uint64_t elements);
  bool Close();
  void Place(Value value);
  void CheckKeys(const Value& map);
  void Invalid(const std::string& problem);
  std::string Path() const;

  const Limits limits_;
  std::vector<Frame> frames_;
  std::uint64_t charged_ = 0;  // elements that containers have claimed
  std::uint64_t visited_ = 0;  // elements that have come
  DecodedPayload result_;
  bool broken_ = false;
};

}  // namespace requestrouter::ipc
