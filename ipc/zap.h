#pragma once

#include <thread>

#include <zmq.hpp>

namespace requestrouter::ipc {

// The authentication handler that libzmq asks about every new peer (ZAP, ZeroMQ RFC 27). Every
// local peer with the NULL mechanism is let in, because the socket file's permissions have decided
// already; what it is for is that peers which do not take part (ZMTP 1 and 2, random bytes) are
// turned away by libzmq, as it does for a socket with a ZAP domain.
//
// Runs on a thread of its own, with all signals blocked. Made before the socket that uses it
// (libzmq lets everyone in while no handler is bound), and destroyed after it.
class ZapHandler {
 public:
  explicit ZapHandler(zmq::context_t& context);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void Run();

  zmq::socket_t requests_;  // used by the thread alone while it runs
  zmq::socket_t stop_;      // a word from here ends the thread
  zmq::socket_t stopped_;   // the thread's end of it
  std::thread thread_;
};

}  // namespace requestrouter::ipc
