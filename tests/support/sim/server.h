#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "tests/support/sim/service.h"

namespace requestrouter::sim {

// A Service behind HTTP/1.1 on 127.0.0.1, with libevent's evhttp, in the thread that calls Run.
class Server {
 public:
  struct Options {
    std::uint16_t port = 0;        // 0: any free one
    bool stop_on_signals = false;  // SIGTERM and SIGINT end Run
    bool verbose = false;          // a line on stderr for each request, keys cut short
    ServiceOptions service;
  };

  // Listens. Throws std::runtime_error where it cannot.
  explicit Server(Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::string url() const;  // "http://127.0.0.1:PORT"

  void Run();   // until Stop
  void Stop();  // from any thread or signal handler, before or during Run

  // After Run.
  const Counters& totals() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace requestrouter::sim
