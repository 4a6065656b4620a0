#pragma once

#include <thread>

#include <zmq.hpp>

namespace requestrouter::ipc {

// The authentication handler that libzmq asks about every new peer (ZeroMQ RFC 27). Every local
// peer is let in, because the socket file's permissions have decided already; what it is for is
// that peers which do not take part (ZMTP 1 and 2, random bytes) are turned away by libzmq.
// Runs on a thread of its own and is to be made before the socket that uses it.
class ZapHandler {
 public:
  explicit ZapHandler(zmq::context_t& context);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void Run();
  zmq::context_t& context_;
  zmq::socket_t requests_;  // moved to the thread
  zmq::socket_t stop_;
  std::thread thread_;
};

}  // namespace requestrouter::ipc
