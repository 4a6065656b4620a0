#include "ipc/zap.h"

#include <pthread.h>

#include <array>
#include <chrono>
#include <csignal>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <zmq_addon.hpp>

namespace requestrouter::ipc {
namespace {

constexpr const char* kRequests = "inproc://zeromq.zap.01";
constexpr const char* kStop = "inproc://requestrouter.zap.stop";

// The frames of a request, RFC 27: version, request id, domain, address, identity, mechanism and
// then credentials, which NULL has none of.
bool IsAllowed(const std::vector<zmq::message_t>& request) {
  return request.size() >= 6 && request[0].to_string_view() == "1.0" &&
         request[5].to_string_view() == "NULL";
}

// The frames of a reply: version, request id, status code and text, user id, metadata.
void Answer(zmq::socket_t& requests) {
  std::vector<zmq::message_t> request;
  if (!zmq::recv_multipart(requests, std::back_inserter(request))) return;
  const bool allowed = IsAllowed(request);
  const std::string id = request.size() > 1 ? request[1].to_string() : "";
  const std::array<zmq::const_buffer, 6> reply = {
      zmq::str_buffer("1.0"),
      zmq::buffer(id),
      allowed ? zmq::str_buffer("200") : zmq::str_buffer("400"),
      allowed ? zmq::buffer(std::string_view("OK")) : zmq::buffer(std::string_view("NULL only")),
      zmq::const_buffer(),
      zmq::const_buffer()};
  zmq::send_multipart(requests, reply);
}

// The thread inherits its mask from the one that makes it.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

ZapHandler::ZapHandler(zmq::context_t& context)
    : requests_(context, ZMQ_REP), stop_(context, ZMQ_PAIR), stopped_(context, ZMQ_PAIR) {
  for (zmq::socket_t* socket : {&requests_, &stop_, &stopped_}) {
    socket->set(zmq::sockopt::linger, 0);
  }
  requests_.bind(kRequests);
  stop_.bind(kStop);
  stopped_.connect(kStop);
  const SignalsBlocked blocked;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "zap");
}

ZapHandler::~ZapHandler() {
  stop_.send(zmq::message_t(), zmq::send_flags::none);
  thread_.join();
}

void ZapHandler::Run() {
  std::array<zmq::pollitem_t, 2> items = {
      {{requests_.handle(), 0, ZMQ_POLLIN, 0}, {stopped_.handle(), 0, ZMQ_POLLIN, 0}}};
  for (;;) {
    zmq::poll(items.data(), items.size(), std::chrono::milliseconds(-1));
    if (items[1].revents & ZMQ_POLLIN) return;
    if (items[0].revents & ZMQ_POLLIN) Answer(requests_);
  }
}

}  // namespace requestrouter::ipc
