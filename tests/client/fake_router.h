#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "ipc/value.h"

// A scripted stand-in for routerd: a ROUTER socket that answers by tables. Written from
// PROTOCOL.md and not from the project's codec, so that both are checked against each other.
namespace requestrouter::testing {

using Value = ipc::Value;

// The replies to one request, in the order they are called. Router thread only.
class Responder {
 public:
  virtual ~Responder() = default;
  virtual void Event(const Value& body) = 0;
  virtual void Final(const Value& body) = 0;
  virtual void Fail(const std::string& type, const std::string& message,
                    const Value& more = Value::object()) = 0;
  // Ends another open request of the same connection.
  virtual void FailOther(const std::string& id, const std::string& type,
                         const std::string& message) = 0;
  // Any payload, for what version 1 does not have.
  virtual void Raw(const Value& payload) = 0;
};

class FakeRouter {
 public:
  // `request` is the decoded payload. What is not answered stays open.
  using Handler = std::function<void(const Value& request, Responder& out)>;

  // Makes a private directory for the socket. Nothing listens before Start.
  FakeRouter();
  ~FakeRouter();
  FakeRouter(const FakeRouter&) = delete;
  FakeRouter& operator=(const FakeRouter&) = delete;

  std::string endpoint() const { return "ipc://" + directory_ + "/router.sock"; }
  const std::string& directory() const { return directory_; }

  // Before Start, or while stopped. An operation without a handler gets unknown_op.
  void On(const std::string& op, Handler handler);
  // A handler that always answers with this body.
  void Answer(const std::string& op, Value body);

  void Start();
  // Closes the socket as the end of the process would.
  void Stop();

  // Blocks until so many requests of this operation came since construction, and returns them all.
  std::vector<Value> WaitFor(const std::string& op, std::size_t count);
  std::vector<Value> Received(const std::string& op);

 private:
  void Serve();

  std::string directory_;
  std::map<std::string, Handler> handlers_;
  std::thread thread_;
  int stop_fd_ = -1;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::vector<Value>> received_;
};

}  // namespace requestrouter::testing
