#pragma once

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace requestrouter::upstream {

// A request as the test server read it.
struct ServedRequest {
  std::string head;  // request line and headers, as they came
  std::string body;

  // The value of a header, or empty; `name` in lower case.
  std::string Header(std::string_view name) const;
};

// One accepted connection, in the hands of the test's script, on a thread of its own.
class Connection {
 public:
  // `before_close` is told before the descriptor becomes free for others.
  Connection(int socket, std::function<void(int)> before_close)
      : socket_(socket), before_close_(std::move(before_close)) {}
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Waits for the next request; nullopt: the client closed instead.
  std::optional<ServedRequest> Read();
  // Only the head; the body stays unread.
  bool ReadHead();
  bool Write(std::string_view bytes);  // all of it; false: the client is gone
  std::size_t WriteWhatFits(std::string_view bytes);
  bool HasRoomWithinMs(int ms);  // whether the client reads on
  void WaitForMs(int ms);        // or until the client closes
  void WaitUntilTheClientCloses();
  void Close();  // orderly
  void Reset();  // RST

 private:
  bool Fill();  // reads more; false at the end

  int socket_;
  const std::function<void(int)> before_close_;
  std::string unread_;
};

// A response with a Content-Length.
std::string Reply(int status, std::string_view body, std::string_view headers = "");
// The head of a response without one, which ends with the connection.
std::string StreamHead(std::string_view content_type = "text/event-stream");
std::string Event(std::string_view data);

// Accepts connections on a port of the system's choice on loopback and runs the script for each.
// The destructor shuts all connections down and joins their threads.
class HttpServer {
 public:
  using Script = std::function<void(Connection&)>;

  explicit HttpServer(Script script);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const;
  int connections();  // accepted so far

 private:
  void Accept();
  void Serve(int socket);
  void Forget(int socket);

  const Script script_;
  const int listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::set<int> open_;              // guarded by mutex_
  std::list<std::thread> workers_;  // guarded by mutex_
  int connections_ = 0;             // guarded by mutex_
  bool stopping_ = false;           // guarded by mutex_
  std::thread acceptor_;
};

// Something that has happened or not; what happened before Open() is seen after Wait().
class Gate {
 public:
  void Open();
  void Wait();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

}  // namespace requestrouter::upstream
