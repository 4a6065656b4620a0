#include "tests/support/sim.h"

#include <stdexcept>

#include "tests/support/http_client.h"
#include "tests/support/sim/server.h"

namespace requestrouter::support {
namespace {

std::string Checked(const HttpResult& result) {
  if (result.status == 200 && result.complete) return result.body;
  throw std::runtime_error("provider_sim: " + std::to_string(result.status) + " " + result.body);
}

sim::Server::Options OptionsFor(const std::vector<std::string>& keys) {
  sim::Server::Options options;
  options.service.accept_any_key = keys.empty();
  for (const std::string& key : keys) {
    auto spec = sim::ParseKeyFlag(key);
    if (!spec) throw std::runtime_error(spec.error());
    options.service.keys.push_back(*std::move(spec));
  }
  return options;
}

}  // namespace

void SimControl::Control(const Json& control) const {
  Checked(Http(port_, "POST", "/_sim/control", {}, control.dump()));
}

Json SimControl::Stats() const { return Json::parse(Checked(Http(port_, "GET", "/_sim/stats"))); }

void SimControl::Reset() const { Checked(Http(port_, "POST", "/_sim/reset")); }

Json SimControl::StatsOfKey(const std::string& secret) const {
  const Json stats = Stats();
  for (const Json& key : stats["keys"]) {
    if (key["key"] == secret) return key;
  }
  throw std::runtime_error("provider_sim: no such key");
}

std::int64_t SimControl::TimesBilled(const std::string& prompt) const {
  return Stats()["prompts"].value(prompt, std::int64_t{0});
}

Sim::Sim(const std::vector<std::string>& keys)
    : server_(std::make_unique<sim::Server>(OptionsFor(keys))) {
  port_ = server_->port();
  thread_ = std::thread([this] { server_->Run(); });
}

Sim::~Sim() {
  server_->Stop();
  thread_.join();
}

SimProcess::SimProcess(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), RR_PROVIDER_SIM);
  process_ = std::make_unique<Subprocess>(Subprocess::Options{std::move(arguments), {}, {}});
  const auto line = process_->WaitForLine("listening on ", std::chrono::seconds(20));
  if (!line) throw std::runtime_error("provider_sim did not start: " + process_->Errors());
  port_ = static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1)));
}

}  // namespace requestrouter::support
