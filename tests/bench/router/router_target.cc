#include "tests/bench/router/router_target.h"

#include <poll.h>
#include <zmq.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <random>
#include <stdexcept>

namespace requestrouter::bench {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPrefix = 8;   // hexadecimal digits: of the process
constexpr std::size_t kNumber = 12;  // and of the request
const std::string kIdOfReply =
    "\xA2"
    "id\xB4";  // the key, and that a text of 20 bytes follows
const std::string kOk =
    "\xA2"
    "ok\xC3";
static_assert(kPrefix + kNumber == 20);

std::string Hex(std::uint64_t value, int digits) {
  std::array<char, 20> text{};
  std::snprintf(text.data(), text.size(), "%0*llx", digits, static_cast<unsigned long long>(value));
  return text.data();
}

std::string ErrorOf(std::string_view payload) {
  const Json reply = Json::from_msgpack(payload, true, false);
  const auto error = reply.is_object() ? reply.find("error") : reply.end();
  if (error == reply.end()) return "a reply that cannot be read";
  return error->value("type", "") + ": " + error->value("message", "");
}

}  // namespace

RouterTarget::RouterTarget(const std::string& endpoint, const std::string& prompt,
                           const std::string& model, bool stored)
    : prefix_(Hex(std::random_device()(), kPrefix)) {
  const std::string id = prefix_ + std::string(kNumber, '#');
  Json body = {{"prompt", prompt}};
  if (!model.empty()) body["model_preference"] = model;
  if (stored) body["conv_id"] = id;
  const auto bytes = Json::to_msgpack({{"v", 1}, {"id", id}, {"op", "chat"}, {"body", body}});
  payload_.assign(bytes.begin(), bytes.end());
  for (std::size_t at = payload_.find(id); at != std::string::npos;
       at = payload_.find(id, at + 1)) {
    const bool is_conversation = payload_.compare(at - 9, 8,
                                                  "\xA7"
                                                  "conv_id") == 0;
    (is_conversation ? conv_id_at_ : id_at_) = at + kPrefix;
  }
  context_ = zmq_ctx_new();
  socket_ = zmq_socket(context_, ZMQ_DEALER);
  const int none = 0;
  zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
  zmq_setsockopt(socket_, ZMQ_SNDHWM, &none, sizeof none);
  zmq_setsockopt(socket_, ZMQ_RCVHWM, &none, sizeof none);
  if (zmq_connect(socket_, endpoint.c_str()) != 0) {
    throw std::runtime_error("cannot connect to " + endpoint);
  }
  std::size_t size = sizeof fd_;
  zmq_getsockopt(socket_, ZMQ_FD, &fd_, &size);
}

RouterTarget::~RouterTarget() {
  zmq_close(socket_);
  zmq_ctx_term(context_);
}

void RouterTarget::Send(std::uint64_t number) {
  const std::string digits = Hex(number, kNumber);
  payload_.replace(id_at_, kNumber, digits);
  if (conv_id_at_ != 0) payload_.replace(conv_id_at_, kNumber, digits);
  zmq_send(socket_, "", 0, ZMQ_SNDMORE);
  zmq_send(socket_, payload_.data(), payload_.size(), 0);
}

void RouterTarget::Wait(std::chrono::nanoseconds patience, const Arrived& arrived) {
  int events = 0;
  std::size_t size = sizeof events;
  zmq_getsockopt(socket_, ZMQ_EVENTS, &events, &size);
  if (!(events & ZMQ_POLLIN)) {
    pollfd ready{fd_, POLLIN, 0};
    const timespec until{patience.count() / 1'000'000'000, patience.count() % 1'000'000'000};
    ppoll(&ready, 1, &until, nullptr);
  }
  zmq_msg_t frame;
  zmq_msg_init(&frame);
  while (zmq_msg_recv(&frame, socket_, ZMQ_DONTWAIT) >= 0) {
    if (zmq_msg_size(&frame) == 0) continue;  // the delimiter
    Take({static_cast<const char*>(zmq_msg_data(&frame)), zmq_msg_size(&frame)}, arrived);
  }
  zmq_msg_close(&frame);
}

void RouterTarget::Take(std::string_view payload, const Arrived& arrived) const {
  const std::size_t key = payload.find(kIdOfReply);
  if (key == std::string_view::npos) return;
  const std::string_view id = payload.substr(key + kIdOfReply.size(), kPrefix + kNumber);
  if (id.substr(0, kPrefix) != prefix_) return;
  std::uint64_t number = 0;
  std::from_chars(id.data() + kPrefix, id.data() + id.size(), number, 16);
  arrived(number, payload.find(kOk) != std::string_view::npos ? std::string() : ErrorOf(payload));
}

}  // namespace requestrouter::bench
