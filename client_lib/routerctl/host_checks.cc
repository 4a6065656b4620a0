#include "client_lib/routerctl/host_checks.h"

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "client_lib/routerctl/text.h"

namespace requestrouter::routerctl {
namespace {

constexpr std::string_view kStart =
    "systemctl start routerd.socket routerd.service, or: routerd --config keys.json --env-file "
    ".env";

// Permission bits for the group and for others.
constexpr mode_t kOthers = 07;
constexpr mode_t kGroupAndOthers = 077;

std::string Octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return text.data();
}

std::string Described(const FileFacts& file) {
  return file.path + " (mode " + Octal(file.mode) + ", " + file.owner + ":" + file.group + ")";
}

std::string Megabytes(std::uint64_t bytes) {
  return Count(static_cast<std::int64_t>(bytes / 1'000'000)) + " MB";
}

std::string JoinGroup(const CallerFacts& caller) {
  return "as root: usermod -aG requestrouter " + caller.user + "; then log in again";
}

}  // namespace

Findings JudgeConfig(const ConfigFacts& facts) {
  const std::string check = "configuration";
  if (facts.program.empty()) {
    return {{check, Verdict::kNotChecked, "routerd is neither beside routerctl nor in PATH",
             "install the package requestrouter, or add routerd's folder to PATH"}};
  }
  if (facts.exit_code < 0) {
    return {{check, Verdict::kNotChecked,
             facts.program + " --check-config " + facts.config + " did not end",
             "run it by hand; a secret's command or Vault may hang"}};
  }
  Findings findings;
  const std::string again = "correct it, then: routerctl reload";
  for (const std::string& line : facts.lines) {
    const bool warning = line.starts_with("warning: ");
    const bool error = line.starts_with("error: ");
    if (!warning && !error) continue;
    findings.push_back({check, error ? Verdict::kWrong : Verdict::kDoubtful,
                        line.substr(line.find(' ') + 1), again});
  }
  const std::string last = facts.lines.empty() ? facts.config : facts.lines.back();
  if (facts.exit_code != 0 && findings.empty()) {
    findings.push_back({check, Verdict::kWrong, last, again});
  } else if (facts.exit_code == 0) {
    findings.push_back({check, Verdict::kFine, last, ""});
  }
  return findings;
}

Finding JudgeSocket(const SocketFacts& socket, const CallerFacts& caller) {
  const std::string check = "socket";
  const FileFacts& file = socket.file;
  if (file.path.empty()) {
    return {check, Verdict::kWrong, "the endpoint " + socket.endpoint + " is not ipc://PATH",
            "give --endpoint ipc:///run/requestrouter/router.sock, or correct "
            "REQUESTROUTER_ENDPOINT"};
  }
  if (socket.too_long) {
    return {check, Verdict::kWrong,
            file.path + " is too long for a socket: " + std::to_string(file.path.size()) +
                " bytes, 107 are possible",
            "choose a shorter path for routerd's and routerctl's --endpoint"};
  }
  if (file.error == EACCES) {
    return {check, Verdict::kWrong, caller.user + " may not look into the folder of " + file.path,
            JoinGroup(caller)};
  }
  if (file.error != 0) {
    return {check, Verdict::kWrong, file.path + " does not exist: no routerd listens there",
            std::string(kStart)};
  }
  if (!S_ISSOCK(file.mode)) {
    return {check, Verdict::kWrong, file.path + " is not a socket",
            "move it away; routerd does not start over another's file"};
  }
  switch (socket.connect_error) {
    case 0:
      return {check, Verdict::kFine, "something listens at " + file.path, ""};
    case ECONNREFUSED:
      return {check, Verdict::kWrong, file.path + " is stale: its routerd is gone",
              "start routerd, which replaces the file: " + std::string(kStart)};
    case EACCES:
    case EPERM:
      return {check, Verdict::kWrong, caller.user + " may not connect to " + Described(file),
              JoinGroup(caller)};
    case EAGAIN:
      return {check, Verdict::kDoubtful, "too many connect at once to " + file.path,
              "routerctl queue shows who asks; journalctl -u routerd whether it stands still"};
    default:
      return {check, Verdict::kWrong,
              file.path + " cannot be connected to: " + std::strerror(socket.connect_error),
              "journalctl -u routerd"};
  }
}

Finding JudgeSocketMode(const SocketFacts& socket) {
  const std::string check = "permissions";
  const FileFacts& file = socket.file;
  if (file.path.empty() || file.error != 0 || !S_ISSOCK(file.mode)) {
    return {check, Verdict::kNotChecked, "the socket's mode: there is none", ""};
  }
  if ((file.mode & kOthers) != 0) {
    return {check, Verdict::kWrong, "any user of this host may use the keys: " + Described(file),
            "chmod 660 " + file.path + "; in the unit: SocketMode=0660"};
  }
  return {check, Verdict::kFine, "the socket is its owner's and group's: " + Described(file), ""};
}

Finding JudgeCaller(const SocketFacts& socket, const CallerFacts& caller) {
  const std::string check = "permissions";
  if (caller.uid == 0) {
    return {check, Verdict::kFine, "you are root: you may ask and administrate", ""};
  }
  if (socket.by == caller.uid) {
    return {check, Verdict::kFine,
            "you are " + caller.user + ", as routerd: you may ask and administrate", ""};
  }
  if (caller.in_group) {
    return {check, Verdict::kFine, "you are " + caller.user + ", of the group requestrouter", ""};
  }
  const bool listens = socket.by.has_value();
  return {check, listens ? Verdict::kFine : Verdict::kDoubtful,
          "you are " + caller.user + ", not of the group requestrouter" +
              (caller.group_known ? "" : ", which does not exist here") +
              (listens ? ", and may connect all the same" : ""),
          listens || !caller.group_known ? "" : JoinGroup(caller)};
}

Finding JudgeStateDirectory(const FileFacts& directory, const SocketFacts& socket) {
  const std::string check = "permissions";
  if (directory.path.empty()) {
    return {check, Verdict::kNotChecked, "the state directory: none is known (give --state-dir)",
            ""};
  }
  if (directory.error == EACCES) {
    return {check, Verdict::kNotChecked, directory.path + " is not to be seen by you",
            "run routerctl doctor as root"};
  }
  if (directory.error != 0 || !S_ISDIR(directory.mode)) {
    return {check, Verdict::kWrong,
            directory.path + (directory.error != 0 ? " does not exist" : " is not a directory"),
            "give the --state-dir that routerd has"};
  }
  if ((directory.mode & kGroupAndOthers) != 0) {
    return {check, Verdict::kWrong,
            "others may look into the stored conversations: " + Described(directory),
            "chmod 700 " + directory.path};
  }
  // A socket that systemd opened tells of root, who may write everywhere.
  const uid_t routerd = socket.by.value_or(0);
  if (routerd != 0 && routerd != directory.uid) {
    return {check, Verdict::kWrong,
            "routerd runs as " + socket.by_user + " and cannot use " + Described(directory),
            "as root: chown -R " + socket.by_user + " " + directory.path};
  }
  return {check, Verdict::kFine, "the state directory is closed to others: " + Described(directory),
          ""};
}

Findings JudgeSecretFiles(const std::vector<FileFacts>& files) {
  const std::string check = "permissions";
  Findings findings;
  std::size_t closed = 0;
  for (const FileFacts& file : files) {
    if (file.error != 0) {
      findings.push_back({check, Verdict::kWrong,
                          file.path + " cannot be looked at: " + std::strerror(file.error),
                          "correct --env-file, or the permissions of its folder"});
    } else if ((file.mode & kGroupAndOthers) != 0) {
      findings.push_back({check, Verdict::kWrong,
                          "others than its owner may read secrets: " + Described(file),
                          "chmod 600 " + file.path +
                              "; who could read it may have the keys: "
                              "consider new ones"});
    } else {
      ++closed;
    }
  }
  if (files.empty()) {
    return {
        {check, Verdict::kNotChecked, "files with secrets: none are known (give --env-file)", ""}};
  }
  if (closed > 0) {
    findings.push_back({check, Verdict::kFine,
                        Count(static_cast<std::int64_t>(closed)) +
                            (closed == 1 ? " file with secrets is" : " files with secrets are") +
                            " closed to others",
                        ""});
  }
  return findings;
}

Finding JudgeDisk(const DiskFacts& disk) {
  const std::string check = "disk";
  if (disk.path.empty()) {
    return {check, Verdict::kNotChecked,
            "free space: no state directory is known "
            "(give --state-dir)",
            ""};
  }
  if (disk.error != 0) {
    return {check, Verdict::kNotChecked,
            "free space of " + disk.path + ": " + std::strerror(disk.error), ""};
  }
  const double share = disk.total_bytes > 0 ? static_cast<double>(disk.free_bytes) /
                                                  static_cast<double>(disk.total_bytes)
                                            : 0;
  std::array<char, 16> percent{};
  std::snprintf(percent.data(), percent.size(), "%.1f %%", share * 100);
  const std::string text =
      Megabytes(disk.free_bytes) + " (" + percent.data() + ") are free at " + disk.path;
  if (disk.free_bytes < kLittleSpace || share < kLittleShare) {
    return {check, Verdict::kDoubtful, text,
            "make room: with a full disk conversations are refused"};
  }
  return {check, Verdict::kFine, text, ""};
}

Finding JudgeKernelClock(const ClockFacts& clock) {
  const std::string check = "clock";
  if (!clock.known) {
    return {check, Verdict::kNotChecked, "the kernel does not say whether the clock is set", ""};
  }
  if (clock.synchronised) {
    return {check, Verdict::kFine, "the clock is kept by a time service", ""};
  }
  return {
      check, Verdict::kDoubtful,
      "no time service keeps the clock: days of quota and cooldowns may end at other times than "
      "the provider's",
      "timedatectl set-ntp true (in a container: on its host)"};
}

}  // namespace requestrouter::routerctl
