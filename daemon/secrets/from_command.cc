#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "daemon/secrets/descriptor.h"
#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"

namespace requestrouter::secrets {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t kMaxOutput = kMaxSecretBytes + 2;  // and a line break

// A child in a process group of its own. Killed with everything it started, and reaped, unless
// Wait() saw its end.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(-pid_, SIGKILL);
    Wait();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  int Wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

// "NAME=VALUE" entries for a child: ours and KEY_ID.
class ChildEnvironment {
 public:
  ChildEnvironment(const config::Environment& environment, std::string_view key_id) {
    for (const auto& [name, value] : environment) {
      if (name != "KEY_ID") entries_.emplace_back(name).append("=").append(value);
    }
    entries_.push_back("KEY_ID=" + std::string(key_id));
    for (std::string& entry : entries_) pointers_.push_back(entry.data());
    pointers_.push_back(nullptr);
  }
  ~ChildEnvironment() {
    for (std::string& entry : entries_) Wipe(entry);
  }
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;
  char* const* get() const { return pointers_.data(); }

 private:
  std::vector<std::string> entries_;
  std::vector<char*> pointers_;
};

// Starts `/bin/sh -c command` with its output to `output` and everything else to /dev/null: what a
// failing program writes to stderr may hold a secret. Returns an errno.
int Spawn(const std::string& command, char* const* environment, int output, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, 1);
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);  // the daemon's threads block signals
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(
      &attributes,
      static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  std::string shell = "/bin/sh", option = "-c", text = command;
  char* const arguments[] = {shell.data(), option.data(), text.data(), nullptr};
  const int error = ::posix_spawn(&pid, shell.c_str(), &files, &attributes, arguments, environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

// By system call, because glibc 2.36 declares its wrapper without C linkage.
int OpenPidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

int RemainingMs(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now());
  return left.count() > 0 ? static_cast<int>(left.count()) : 0;
}

// Reads until the process has ended. Returns what went wrong, if anything. A descendant that keeps
// the pipe open does not hold this up.
std::optional<std::string> Collect(const Descriptor& pipe, const Descriptor& process,
                                   milliseconds timeout, std::string& output) {
  const auto deadline = Clock::now() + timeout;
  bool open = true;
  while (true) {
    pollfd waits[] = {{process.get(), POLLIN, 0}, {open ? pipe.get() : -1, POLLIN, 0}};
    const int ready = ::poll(waits, 2, RemainingMs(deadline));
    if (ready < 0 && errno != EINTR) return std::strerror(errno);
    if (ready == 0) {
      return "did not end within " + std::to_string(timeout.count()) +
             " ms; make it faster or raise config.secret_timeout_ms";
    }
    const int error = open && ready > 0 ? pipe.ReadAll(output, kMaxOutput) : EAGAIN;
    if (output.size() > kMaxOutput) return "printed too much; it must print the API key alone";
    open = open && error == EAGAIN;
    if (ready > 0 && (waits[0].revents & POLLIN) != 0) return std::nullopt;
  }
}

Found Finish(int status, std::string output) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return output;
  Wipe(output);
  const std::string how = WIFEXITED(status)
                              ? "exited with status " + std::to_string(WEXITSTATUS(status))
                              : "was killed by signal " + std::to_string(WTERMSIG(status));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    return NotFound("its command was not found (status 127); write its path, or install it");
  }
  return NotFound("its command " + how + "; run it by hand, as routerd's user, to see why");
}

}  // namespace

Found FromCommand(std::string_view key_id, const std::string& command,
                  const config::Environment& environment, milliseconds timeout) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return NotFound(std::string("its command cannot be started: ") + std::strerror(errno));
  }
  const Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const ChildEnvironment child_environment(environment, key_id);
  pid_t pid = -1;
  const int error = Spawn(command, child_environment.get(), write_end.get(), pid);
  if (error != 0) {
    return NotFound(std::string("its command cannot be started: ") + std::strerror(error));
  }
  write_end.Close();
  Child child(pid);
  const Descriptor process(OpenPidfd(pid));
  if (!process.valid()) {
    return NotFound(std::string("its command cannot be watched: ") + std::strerror(errno));
  }
  std::string output;
  if (const auto problem = Collect(read_end, process, timeout, output)) {
    Wipe(output);
    return NotFound("its command " + *problem);
  }
  return Finish(child.Wait(), std::move(output));
}

}  // namespace requestrouter::secrets
