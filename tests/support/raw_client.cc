#include "tests/support/raw_client.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <stdexcept>
#include <zmq.hpp>

namespace requestrouter::support {
namespace {

// So that the ids of several clients in one test differ.
std::atomic<int> clients{0};

Json Decode(const zmq::message_t& frame) {
  const auto* data = static_cast<const std::uint8_t*>(frame.data());
  Json message = Json::from_msgpack(data, data + frame.size(), true, false);
  const bool is_reply = message.is_object() && message.value("v", 0) == 1 &&
                        message.contains("id") && message.contains("final") &&
                        message.contains("ok");
  if (!is_reply) throw std::runtime_error("not a reply of protocol version 1");
  return message;
}

}  // namespace

struct RawClient::Socket {
  Socket(const std::string& endpoint, Kind kind_of)
      : kind(kind_of),
        socket(context, kind == Kind::kReq ? zmq::socket_type::req : zmq::socket_type::dealer),
        number(++clients) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, 10);
    socket.connect(endpoint);
  }

  const Kind kind;
  zmq::context_t context{1};
  zmq::socket_t socket;
  const int number;
};

RawClient::RawClient(const std::string& endpoint, Kind kind)
    : socket_(std::make_unique<Socket>(endpoint, kind)) {}

RawClient::~RawClient() = default;

std::string RawClient::NewId() {
  return "raw-" + std::to_string(getpid()) + "-" + std::to_string(socket_->number) + "-" +
         std::to_string(next_id_++);
}

std::string RawClient::Send(std::string_view op, const Json& body, std::string id,
                            const Json& envelope) {
  if (id.empty()) id = NewId();
  Json request = {{"v", 1}, {"id", id}, {"op", op}, {"body", body}};
  request.update(envelope);
  const std::vector<std::uint8_t> payload = Json::to_msgpack(request);
  SendPayload({reinterpret_cast<const char*>(payload.data()), payload.size()});
  return id;
}

void RawClient::SendPayload(std::string_view payload) {
  // A REQ socket adds the delimiter by itself.
  if (socket_->kind == Kind::kReq) return SendFrames({std::string(payload)});
  SendFrames({"", std::string(payload)});
}

void RawClient::SendFrames(const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const bool is_last = i + 1 == frames.size();
    const auto sent = socket_->socket.send(
        zmq::buffer(frames[i]),
        is_last ? zmq::send_flags::dontwait : zmq::send_flags::sndmore | zmq::send_flags::dontwait);
    if (!sent) throw std::runtime_error("the socket takes no more messages");
  }
}

std::optional<Json> RawClient::Receive(std::chrono::milliseconds timeout) {
  zmq::socket_t& socket = socket_->socket;
  socket.set(zmq::sockopt::rcvtimeo, static_cast<int>(timeout.count()));
  zmq::message_t frame;
  if (!socket.recv(frame)) return std::nullopt;
  if (socket_->kind == Kind::kDealer) {
    if (frame.size() != 0 || !frame.more()) throw std::runtime_error("no delimiter");
    if (!socket.recv(frame)) throw std::runtime_error("half a message");
  }
  if (frame.more()) throw std::runtime_error("more than one payload frame");
  return Decode(frame);
}

Json RawClient::ReceiveFinal(std::chrono::milliseconds timeout, std::vector<Json>* partial) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    auto message = Receive(std::max(left, std::chrono::milliseconds(0)));
    if (!message) throw std::runtime_error("no final message in time");
    if (message->at("final").get<bool>()) return *std::move(message);
    if (partial) partial->push_back(*std::move(message));
  }
}

Json RawClient::Call(std::string_view op, const Json& body, std::chrono::milliseconds timeout) {
  const std::string id = Send(op, body);
  Json reply = ReceiveFinal(timeout);
  if (reply.at("id") != id) throw std::runtime_error("the reply to another request");
  return reply;
}

}  // namespace requestrouter::support
