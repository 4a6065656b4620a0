#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

namespace requestrouter::bench {

// What the bare loop keeps of one request.
struct BareTurn {
  zmq::message_t client;  // whose reply waits for it
  std::string request_id;
  std::string conv_id;
  std::string prompt;
  std::string answer;
  std::string reply;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

// SQLite as a careful program without routerd's needs would use it: the daemon's own tables, WAL,
// synchronous=FULL, prepared statements, one transaction for all that is ready. Checkpoints are
// left to SQLite. Confined to one thread. Failures throw std::runtime_error.
class BareStore {
 public:
  explicit BareStore(const std::string& directory);
  ~BareStore();
  BareStore(const BareStore&) = delete;
  BareStore& operator=(const BareStore&) = delete;

  // On the disk when it returns.
  void Commit(const std::vector<BareTurn>& turns);

 private:
  sqlite3_stmt* Prepare(const char* sql);
  void Check(int code) const;
  void Step(sqlite3_stmt* statement) const;
  void Write(const BareTurn& turn, std::int64_t now);

  sqlite3* database_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  sqlite3_stmt* begin_;
  sqlite3_stmt* commit_;
  sqlite3_stmt* conversation_;
  sqlite3_stmt* message_;
  sqlite3_stmt* usage_;
  sqlite3_stmt* result_;
};

}  // namespace requestrouter::bench
