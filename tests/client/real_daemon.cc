#include "tests/client/real_daemon.h"

#include <gtest/gtest.h>

#include <thread>

namespace requestrouter::testing {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::chrono::milliseconds kPause{5};  // between two looks at the simulator's counters

support::Json Keys() {
  return support::Json::parse(R"({
    "keys": [{"key_id": "k1", "provider": "gemini", "model_name": "gemini-2.5-flash",
              "rpm": 1000000, "tpm": 1000000000}],
    "config": {"drain_ms": 200, "durability": "process"}})");
}

}  // namespace

RealDaemon::RealDaemon() : sim_({"s1:rpm=1000000,tpm=1000000000"}) {
  support::DaemonProcess::Options options;
  options.keys = Keys();
  options.dotenv = support::DaemonProcess::DotenvFor({{"k1", "s1"}});
  options.environment = support::DaemonProcess::BaseUrls(sim_.url());
  daemon_.emplace(std::move(options));
}

ClientOptions RealDaemon::options() const {
  ClientOptions options;
  options.endpoint = endpoint();
  return options;
}

void RealDaemon::WaitForAttempts(std::int64_t count) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (sim_.StatsOfKey("s1")["requests"] < count) {
    if (std::chrono::steady_clock::now() > until) {
      ADD_FAILURE() << "only " << sim_.StatsOfKey("s1")["requests"] << " attempts came";
      return;
    }
    std::this_thread::sleep_for(kPause);
  }
}

ChatRequest Prompt(const std::string& text) {
  ChatRequest request;
  request.prompt = text;
  return request;
}

}  // namespace requestrouter::testing
