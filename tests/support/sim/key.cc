#include "tests/support/sim/key.h"

#include <sstream>
#include <stdexcept>

namespace requestrouter::sim {

std::string TakeQuota(Key& key, std::int64_t input_tokens, Instant now) {
  if (key.rpd && !key.rpd->Fits(1, now)) return "rpd";
  if (key.rpm && !key.rpm->Fits(1, now)) return "rpm";
  if (key.tpm && !key.tpm->Fits(input_tokens, now)) return "tpm";
  if (key.rpd) key.rpd->Take(1, now);
  if (key.rpm) key.rpm->Take(1, now);
  if (key.tpm) key.tpm->Take(input_tokens, now);
  return "";
}

Key ParseKey(const std::string& text) {
  Key key;
  const std::size_t colon = text.rfind(':');
  key.secret = text.substr(0, colon);
  if (colon == std::string::npos) return key;
  std::istringstream limits(text.substr(colon + 1));
  for (std::string limit; std::getline(limits, limit, ',');) {
    const std::size_t equals = limit.find('=');
    const std::string name = limit.substr(0, equals);
    if (equals == std::string::npos) throw std::invalid_argument("no value in \"" + limit + '"');
    const std::int64_t amount = std::stoll(limit.substr(equals + 1));
    if (name == "rpm") {
      key.rpm.emplace(amount);
    } else if (name == "tpm") {
      key.tpm.emplace(amount);
    } else if (name == "rpd") {
      key.rpd.emplace(amount, std::chrono::hours(24));
    } else {
      throw std::invalid_argument("no limit \"" + name + "\": use rpm, tpm, rpd");
    }
  }
  return key;
}

}  // namespace requestrouter::sim
