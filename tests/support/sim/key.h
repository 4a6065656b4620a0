#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "tests/support/sim/window.h"

namespace requestrouter::sim {

// One key as the provider knows it: its limits, and what it has been used for.
struct Key {
  std::string secret;
  std::optional<Window> rpm, tpm;
  std::optional<Window> rpd;  // of 24 hours
  bool revoked = false;
  bool out_of_credit = false;

  std::int64_t requests = 0;
  std::int64_t answered = 0;
  std::int64_t rate_limited = 0;
  std::int64_t rejected = 0;
  std::int64_t input_tokens = 0;
  std::int64_t output_tokens = 0;
};

// Which limit a request would break: "rpm", "tpm", "rpd"; empty: none, and it has been taken.
std::string TakeQuota(Key& key, std::int64_t input_tokens, Instant now);

// From "SECRET:rpm=10,tpm=1000,rpd=50"; throws std::invalid_argument that names what is wrong.
Key ParseKey(const std::string& text);

}  // namespace requestrouter::sim
