#include "ipc/zap.h"

#include <array>
#include <string>
#include <vector>

#include <zmq_addon.hpp>

namespace requestrouter::ipc {
namespace {

constexpr const char* kRequests = "inproc://zeromq.zap.01";

// Unique in the process, because several sockets may live in one (tests).
std::string StopAddress(const void* self) {
  return "inproc://zap-stop-" + std::to_string(reinterpret_cast<std::uintptr_t>(self));
}

void Answer(zmq::socket_t& requests) {
  std::vector<zmq::message_t> request;
  if (!zmq::recv_multipart(requests, std::back_inserter(request)) || request.size() < 6) return;
  // version, request id, domain, address, identity, mechanism -> version, request id, status, ...
  std::array<zmq::message_t, 6> reply = {
      zmq::message_t(std::string("1.0")), std::move(request[1]), zmq::message_t(std::string("200")),
      zmq::message_t(std::string("OK")), zmq::message_t(), zmq::message_t()};
  zmq::send_multipart(requests, reply);
}

}  // namespace

ZapHandler::ZapHandler(zmq::context_t& context)
    : context_(context), requests_(context, ZMQ_REP), stop_(context, ZMQ_PAIR) {
  requests_.bind(kRequests);
  stop_.bind(StopAddress(this));
  thread_ = std::thread([this] { Run(); });
}

ZapHandler::~ZapHandler() {
  stop_.send(zmq::message_t(), zmq::send_flags::none);
  thread_.join();
}

void ZapHandler::Run() {
  zmq::socket_t stopped(context_, ZMQ_PAIR);
  stopped.connect(StopAddress(this));
  std::array<zmq::pollitem_t, 2> items = {
      {{requests_.handle(), 0, ZMQ_POLLIN, 0}, {stopped.handle(), 0, ZMQ_POLLIN, 0}}};
  for (;;) {
    zmq::poll(items.data(), items.size(), std::chrono::milliseconds(-1));
    if (items[1].revents & ZMQ_POLLIN) return;
    if (items[0].revents & ZMQ_POLLIN) Answer(requests_);
  }
}

}  // namespace requestrouter::ipc
