#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "client_lib/routerctl/host_facts.h"

// routerd itself judges its configuration: there is one reader of it.
namespace requestrouter::routerctl {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// Secrets may come from commands and from Vault.
constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kMostOutput = 1 << 20;
constexpr const char* kCredentials = "/etc/requestrouter/credentials";

std::string FindRouterd() {
  std::error_code error;
  std::vector<fs::path> folders = {fs::read_symlink("/proc/self/exe", error).parent_path()};
  const char* path = std::getenv("PATH");
  std::istringstream words(path ? path : "");
  for (std::string folder; std::getline(words, folder, ':');) folders.emplace_back(folder);
  folders.emplace_back("/usr/sbin");
  for (const fs::path& folder : folders) {
    const fs::path program = folder / "routerd";
    if (folder.is_absolute() && access(program.c_str(), X_OK) == 0) return program.string();
  }
  return "";
}

// As the unit's LoadCredential= passes them on, see systemd/routerd.service.
std::vector<std::string> EnvironmentOfRouterd() {
  std::vector<std::string> variables;
  for (char** one = environ; *one; ++one) variables.emplace_back(*one);
  if (!std::getenv("CREDENTIALS_DIRECTORY") && access(kCredentials, R_OK | X_OK) == 0) {
    variables.push_back(std::string("CREDENTIALS_DIRECTORY=") + kCredentials);
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What is written until the end, at most kMostOutput; false where it does not end in time.
bool ReadAll(int fd, std::string& text) {
  const auto end = Clock::now() + kPatience;
  std::array<char, 4096> buffer;
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd readable{fd, POLLIN, 0};
    if (left <= 0 || text.size() > kMostOutput) return false;
    if (poll(&readable, 1, static_cast<int>(left)) <= 0) continue;
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
}

// Its exit code, or -1. Both its outputs go to `text`.
int Run(std::vector<std::string> arguments, std::string& text) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return -1;
  std::vector<std::string> variables = EnvironmentOfRouterd();
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDERR_FILENO);
  pid_t pid = -1;
  const int error = posix_spawn(&pid, arguments.front().c_str(), &actions, nullptr,
                                Pointers(arguments).data(), Pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  close(pipe_ends[1]);
  const bool ended = error == 0 && ReadAll(pipe_ends[0], text);
  close(pipe_ends[0]);
  if (error != 0) return -1;
  if (!ended) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return ended && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

ConfigFacts CheckConfiguration(const std::string& config, const std::string& env_file) {
  ConfigFacts facts;
  facts.config = config;
  facts.program = FindRouterd();
  if (facts.program.empty()) return facts;
  std::vector<std::string> arguments = {facts.program, "--check-config", "--config", config};
  if (!env_file.empty()) arguments.insert(arguments.end(), {"--env-file", env_file});
  std::string text;
  facts.exit_code = Run(std::move(arguments), text);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) facts.lines.push_back(line);
  return facts;
}

}  // namespace requestrouter::routerctl
