#include "tests/support/daemon_process.h"

#include <stdexcept>

namespace requestrouter::support {
namespace {

// How often it is checked that the daemon, whose answer is awaited, still runs.
constexpr std::chrono::milliseconds kPatience{100};

}  // namespace

DaemonProcess::DaemonProcess(Options options) : options_(std::move(options)) {
  WriteKeys(options_.keys);
  WriteDotenv(options_.dotenv);
  Start();
}

std::vector<std::pair<std::string, std::string>> DaemonProcess::BaseUrls(
    const std::string& sim_url) {
  return {{"ROUTERD_GEMINI_BASE_URL", sim_url},
          {"ROUTERD_OPENAI_BASE_URL", sim_url + "/v1"},
          {"ROUTERD_ANTHROPIC_BASE_URL", sim_url}};
}

std::string DaemonProcess::DotenvFor(
    const std::vector<std::pair<std::string, std::string>>& secrets) {
  std::string text;
  for (const auto& [key_id, secret] : secrets) text += "API_KEY_" + key_id + "=" + secret + "\n";
  return text;
}

void DaemonProcess::WriteKeys(const Json& keys) { dir_.Write("keys.json", keys.dump(2)); }

void DaemonProcess::WriteDotenv(const std::string& dotenv) { dir_.Write(".env", dotenv); }

void DaemonProcess::Start() {
  std::vector<std::string> arguments = {RR_ROUTERD,   "--config",        dir_.File("keys.json"),
                                        "--env-file", dir_.File(".env"), "--endpoint",
                                        endpoint(),   "--state-dir",     state_dir()};
  arguments.insert(arguments.end(), options_.arguments.begin(), options_.arguments.end());
  process_ = std::make_unique<Subprocess>(
      Subprocess::Options{std::move(arguments), options_.environment, {}});
  RawClient client(endpoint());
  client.Send("ping");
  const auto until = std::chrono::steady_clock::now() + options_.start_timeout;
  while (!client.Receive(kPatience)) {
    const bool is_late = std::chrono::steady_clock::now() >= until;
    if (!is_late && process_->IsRunning()) continue;
    throw std::runtime_error("routerd did not start: " + Log());
  }
}

int DaemonProcess::Stop() { return process_->Terminate(std::chrono::seconds(40)); }

void DaemonProcess::Kill() { process_->Kill(); }

}  // namespace requestrouter::support
