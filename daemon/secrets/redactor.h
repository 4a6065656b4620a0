#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace requestrouter::secrets {

// Replaces secrets in text by "[redacted]": the ones it has been told (as they are, URL-encoded and
// JSON-escaped), and whatever looks like a key: sk-…, AIza…, gsk_…, xai-…, hvs.…, Bearer …, and
// what follows x-api-key, x-goog-api-key, authorization, api_key and ?key=. In front of every log
// sink and every message that leaves the daemon.
//
// Thread-safe; text is scanned without holding a lock. The time is linear in the text for every
// known secret and for the patterns together, whatever the text is. One search per secret instead
// of an automaton: there are some dozens of them, and a log line is searched in a microsecond or
// two.
class Redactor {
 public:
  Redactor();
  ~Redactor();
  // Replaces the known secrets. Those shorter than 4 bytes are ignored: they would redact ordinary
  // words. Former ones stay known, because attempts that use them may still be in flight; of those
  // the 64 that were replaced last, so that secrets which change every hour do not pile up.
  void SetSecrets(const std::vector<std::string_view>& secrets);
  std::string Redact(std::string_view text) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// The one redactor of the process. Never destroyed, so that it can be used until the very end.
Redactor& ProcessRedactor();

}  // namespace requestrouter::secrets
