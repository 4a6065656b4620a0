#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/raw_client.h"
#include "tests/support/subprocess.h"
#include "tests/support/temp_dir.h"

namespace requestrouter::support {

// routerd as a program, on private paths: its configuration, secrets, socket and database live in a
// directory that goes with the object. The database stays over Stop, Kill and Start.
class DaemonProcess {
 public:
  struct Options {
    Json keys;                           // the whole of keys.json
    std::string dotenv;                  // the whole of .env; see DotenvFor
    std::vector<std::string> arguments;  // further ones
    std::vector<std::pair<std::string, std::string>> environment;  // see BaseUrls
    std::chrono::milliseconds start_timeout{20'000};
  };

  // Writes the files and starts the daemon; returns when it answers a ping.
  // Throws std::runtime_error with what it wrote on stderr where it does not.
  explicit DaemonProcess(Options options);
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;

  // All three providers at one simulator: ROUTERD_<PROVIDER>_BASE_URL.
  static std::vector<std::pair<std::string, std::string>> BaseUrls(const std::string& sim_url);
  // "API_KEY_<key_id>=<secret>" lines.
  static std::string DotenvFor(const std::vector<std::pair<std::string, std::string>>& secrets);

  std::string endpoint() const { return "ipc://" + dir_.File("router.sock"); }
  std::string state_dir() const { return dir_.File("state"); }
  const TempDir& dir() const { return dir_; }
  Subprocess& process() { return *process_; }

  void WriteKeys(const Json& keys);  // for a reload
  void WriteDotenv(const std::string& dotenv);

  int Stop();    // SIGTERM; its exit status
  void Kill();   // SIGKILL
  void Start();  // after one of them
  void Restart() {
    Stop();
    Start();
  }
  // What it wrote on stderr since it was last started.
  std::string Log() { return process_->Errors(); }

 private:
  TempDir dir_;
  Options options_;
  std::unique_ptr<Subprocess> process_;
};

}  // namespace requestrouter::support
