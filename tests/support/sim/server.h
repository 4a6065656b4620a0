#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/sim/key.h"

namespace requestrouter::sim {

// A provider on a loopback port: speaks Gemini, OpenAI and Anthropic, keeps each key to its limits,
// and misbehaves when told to. Runs on the thread that calls Run.
//
//   POST /_sim/control  {"latency_ms": 20, "stream_delta_ms": 5, "answer_bytes": 1000,
//                        "faults": [{"kind": "status", "status": 503, "count": 2,
//                                    "key": "SECRET"?}], "revoke": "SECRET", "restore": "SECRET"}
//                       kinds: status, hang, reset, reset_mid_body, bad_json, html, no_credit
//   GET  /_sim/stats    {"keys": [{"key", "requests", "answered", "rate_limited", "rejected",
//                        "input_tokens", "output_tokens"}], "prompts": {PROMPT: answers}}
class Server {
 public:
  struct Options {
    std::uint16_t port = 0;  // 0: any
    std::vector<Key> keys;
    bool accept_any_key = false;  // unknown keys have no limits
    int latency_ms = 0;
    int stream_delta_ms = 0;
    int answer_bytes = 0;  // 0: an answer that shows what was asked
  };

  explicit Server(Options options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  void Run();
  void Stop();  // any thread

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace requestrouter::sim
