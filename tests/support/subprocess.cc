#include "tests/support/subprocess.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>

extern char** environ;

namespace requestrouter::support {
namespace {

struct Pipe {
  int read_end = -1, write_end = -1;
};

Pipe MakePipe() {
  std::array<int, 2> ends;
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
  return {ends[0], ends[1]};
}

std::string NameOf(std::string_view setting) {
  return std::string(setting.substr(0, setting.find('=')));
}

std::vector<std::string> Environment(
    const std::vector<std::pair<std::string, std::string>>& added) {
  std::vector<std::string> result;
  for (char** one = environ; *one; ++one) {
    bool is_replaced = false;
    for (const auto& [name, value] : added) is_replaced |= NameOf(*one) == name;
    if (!is_replaced) result.emplace_back(*one);
  }
  for (const auto& [name, value] : added) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// After fork: only calls that are safe in the child of a threaded program. Never returns.
[[noreturn]] void Become(char* const* arguments, char* const* environment, int in, int out,
                         int errors, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  execve(arguments[0], arguments, environment);
  _exit(127);
}

void WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written <= 0) return;  // the child does not want it
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::optional<std::string> LineWith(const std::string& all, std::string_view text) {
  const std::size_t at = all.find(text);
  if (at == std::string::npos) return std::nullopt;
  const std::size_t end = all.find('\n', at);
  if (end == std::string::npos) return std::nullopt;  // not all of it yet
  const std::size_t before = all.rfind('\n', at);
  const std::size_t begin = before == std::string::npos ? 0 : before + 1;
  return all.substr(begin, end - begin);
}

}  // namespace

Subprocess::Subprocess(const Options& options) {
  std::vector<std::string> arguments = options.arguments;
  if (access(arguments.at(0).c_str(), X_OK) != 0) {
    throw std::runtime_error("no such program: " + arguments[0]);
  }
  std::vector<std::string> environment = Environment(options.environment);
  const std::vector<char*> argv = Pointers(arguments), envp = Pointers(environment);
  const Pipe in = MakePipe(), out = MakePipe(), errors = MakePipe();
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    Become(argv.data(), envp.data(), in.read_end, out.write_end, errors.write_end, parent);
  }
  for (const int fd : {in.read_end, out.write_end, errors.write_end}) close(fd);
  if (pid_ < 0) throw std::runtime_error("fork failed");
  setpgid(pid_, pid_);
  pidfd_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  reader_ = std::thread(&Subprocess::Read, this, out.read_end, errors.read_end);
  std::signal(SIGPIPE, SIG_IGN);
  WriteAll(in.write_end, options.input);
  close(in.write_end);
}

Subprocess::~Subprocess() {
  Kill();
  reader_.join();
  waitpid(pid_, nullptr, 0);
  close(pidfd_);
}

bool Subprocess::Append(int fd, std::string* text) {
  std::array<char, 16384> buffer;
  const ssize_t size = read(fd, buffer.data(), buffer.size());
  if (size <= 0) return size < 0 && errno == EINTR;
  const std::lock_guard lock(mutex_);
  text->append(buffer.data(), static_cast<std::size_t>(size));
  changed_.notify_all();
  return true;
}

void Subprocess::Read(int out, int errors) {
  std::array<pollfd, 2> fds = {pollfd{out, POLLIN, 0}, pollfd{errors, POLLIN, 0}};
  const std::array<std::string*, 2> texts = {&output_, &errors_};
  while (fds[0].fd >= 0 || fds[1].fd >= 0) {
    poll(fds.data(), fds.size(), -1);
    for (std::size_t i = 0; i < fds.size(); ++i) {
      if (fds[i].fd >= 0 && fds[i].revents != 0 && !Append(fds[i].fd, texts[i])) fds[i].fd = -1;
    }
  }
  close(out);
  close(errors);
  const std::lock_guard lock(mutex_);
  at_end_ = true;
  changed_.notify_all();
}

std::optional<std::string> Subprocess::WaitForLine(std::string_view text,
                                                   std::chrono::milliseconds timeout) {
  std::optional<std::string> line;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [&] {
    line = LineWith(output_, text);
    if (!line) line = LineWith(errors_, text);
    return line || at_end_;
  });
  return line;
}

std::string Subprocess::Output() {
  const std::lock_guard lock(mutex_);
  return output_;
}

std::string Subprocess::Errors() {
  const std::lock_guard lock(mutex_);
  return errors_;
}

void Subprocess::Signal(int number) {
  if (!status_) kill(pid_, number);
}

std::optional<int> Subprocess::Wait(std::chrono::milliseconds timeout) {
  if (status_) return status_;
  const auto until = std::chrono::steady_clock::now() + timeout;
  pollfd fd{pidfd_, POLLIN, 0};
  if (poll(&fd, 1, static_cast<int>(timeout.count())) <= 0) return std::nullopt;
  // Left to be reaped at the end, so that the number of its group stays its own until then.
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT);
  status_ = info.si_code == CLD_EXITED ? info.si_status : -info.si_status;
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return at_end_; });
  return status_;
}

int Subprocess::Terminate(std::chrono::milliseconds timeout) {
  Signal(SIGTERM);
  if (!Wait(timeout)) Kill();
  return *status_;
}

void Subprocess::Kill() {
  kill(-pid_, SIGKILL);  // grandchildren too: they may hold the pipes open
  Wait(std::chrono::seconds(60));
}

bool Subprocess::IsRunning() { return !Wait(std::chrono::milliseconds(0)); }

}  // namespace requestrouter::support
