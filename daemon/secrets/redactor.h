#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace requestrouter::secrets {

// Replaces secrets in text by "[redacted]": the ones it has been told (as they are and
// URL-encoded), and whatever looks like a key (sk-…, AIza…, Bearer …). In front of every log sink
// and every message that leaves the daemon. Thread-safe.
class Redactor {
 public:
  Redactor();
  ~Redactor();
  // Replaces the known secrets. Those shorter than 4 bytes are ignored.
  void SetSecrets(const std::vector<std::string_view>& secrets);
  std::string Redact(std::string_view text) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The one redactor of the process.
Redactor& ProcessRedactor();

}  // namespace requestrouter::secrets
