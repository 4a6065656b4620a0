#include "tests/bench/router/direct_target.h"

#include <nlohmann/json.hpp>

namespace requestrouter::bench {
namespace {

using Json = nlohmann::json;

std::string Body(const std::string& prompt, const std::string& model) {
  return Json{{"model", model},
              {"messages", Json::array({{{"role", "user"}, {"content", prompt}}})},
              {"max_tokens", 2048},
              {"temperature", 0.7},
              {"stream", false}}
      .dump();
}

}  // namespace

DirectTarget::DirectTarget(const std::string& url, const std::string& prompt,
                           const std::string& model)
    : body_(Body(prompt, model)), calls_(url) {}

void DirectTarget::Send(std::uint64_t number) { calls_.Start(number, body_); }

void DirectTarget::Wait(std::chrono::nanoseconds patience, const Arrived& arrived) {
  calls_.Turn(patience);
  Calls::Answer answer;
  while (calls_.Next(&answer)) {
    if (answer.status == 0 || answer.status == 200) {
      arrived(answer.tag, answer.error);
    } else {
      arrived(answer.tag, "HTTP " + std::to_string(answer.status) + ": " + answer.body);
    }
  }
}

}  // namespace requestrouter::bench
