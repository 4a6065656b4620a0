#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/subprocess.h"

namespace requestrouter::sim {
class Server;
}

namespace requestrouter::support {

using Json = nlohmann::ordered_json;

// What a test says to a simulator, wherever it runs. Throws std::runtime_error where it objects.
class SimControl {
 public:
  std::uint16_t port() const { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

  void Control(const Json& control) const;  // see sim/control.cc
  Json Stats() const;                       // see sim/service.h
  void Reset() const;

  // The statistics of one key; throws where there is none.
  Json StatsOfKey(const std::string& secret) const;
  // How often a prompt was answered and billed.
  std::int64_t TimesBilled(const std::string& prompt) const;

 protected:
  std::uint16_t port_ = 0;
};

// A simulator on a thread of the test.
class Sim : public SimControl {
 public:
  // Keys as on the command line: "SECRET:rpm=10,tpm=1000". Without any, every key is accepted.
  explicit Sim(const std::vector<std::string>& keys = {});
  ~Sim();
  Sim(const Sim&) = delete;
  Sim& operator=(const Sim&) = delete;

 private:
  std::unique_ptr<sim::Server> server_;
  std::thread thread_;
};

// A simulator as a program of its own (for load, or to be killed).
class SimProcess : public SimControl {
 public:
  // Arguments as on the command line, without the program's name.
  explicit SimProcess(std::vector<std::string> arguments);

  Subprocess& process() { return *process_; }

 private:
  std::unique_ptr<Subprocess> process_;
};

}  // namespace requestrouter::support
