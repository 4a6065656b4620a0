#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace requestrouter::support {

// A program that runs beside the test. Its output is read all the time, so it never blocks on a
// full pipe. Nothing outlives the test: the child leads a process group that is killed with -9 when
// the object goes, and dies by itself when the thread that started it ends (PR_SET_PDEATHSIG), so
// start it on a thread that stays. It is reaped when the object goes. Every method may be called
// from any one thread at a time.
class Subprocess {
 public:
  struct Options {
    std::vector<std::string> arguments;  // the first is the program's path; PATH is not searched
    std::vector<std::pair<std::string, std::string>> environment;  // on top of the test's own
    std::string input;  // for its standard input, which is closed after it
  };

  // Throws std::runtime_error where there is no such program.
  explicit Subprocess(const Options& options);
  ~Subprocess();
  Subprocess(const Subprocess&) = delete;
  Subprocess& operator=(const Subprocess&) = delete;

  pid_t pid() const { return pid_; }

  // The first line of either output that holds `text`; nullopt after `timeout`, or when the
  // program has ended without writing one.
  std::optional<std::string> WaitForLine(std::string_view text, std::chrono::milliseconds timeout);

  std::string Output();  // standard output so far
  std::string Errors();  // standard error so far

  void Signal(int number);
  // The exit status, or minus the number of the signal that ended it; nullopt: still running after
  // `timeout`. The output is complete then.
  std::optional<int> Wait(std::chrono::milliseconds timeout);
  // SIGTERM, then Wait; SIGKILL where that was not enough.
  int Terminate(std::chrono::milliseconds timeout = std::chrono::seconds(10));
  void Kill();  // SIGKILL to all of its group, and waits
  bool IsRunning();

 private:
  void Read(int out, int errors);
  bool Append(int fd, std::string* text);

  pid_t pid_ = -1;
  int pidfd_ = -1;
  std::optional<int> status_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::string output_, errors_;
  bool at_end_ = false;
  std::thread reader_;
};

}  // namespace requestrouter::support
