#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

#include "daemon/config/config.h"

namespace requestrouter::secrets {

// A secret in memory that is kept out of swap and core dumps and wiped when released. Move-only.
// It has pages of its own, so that what is locked and left out of dumps is exactly the secret.
// Where locking is refused (RLIMIT_MEMLOCK) the secret is still left out of dumps and wiped.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  bool empty() const { return size_ == 0; }
  // Valid as long as this object is. Never log it.
  std::string_view Reveal() const { return {data_, size_}; }

 private:
  void Release() noexcept;
  char* data_ = nullptr;
  std::size_t size_ = 0;
};

// Longer ones do not fit into the header that common HTTP servers accept.
inline constexpr std::size_t kMaxSecretBytes = 4096;

// Fetches one key's secret from where the configuration says. May block for up to
// `settings.secret_timeout` (files, commands, HTTP): start-up and the helper thread only.
//
//   environment  API_KEY_<key_id> as it is, with '_' for whatever a shell's names cannot hold, and
//                that in upper case. Two that disagree are an error. Where none is set, the systemd
//                credential named <key_id> or key_<key_id>, so that LoadCredential alone is enough.
//   file         readable by its owner only.
//   credential   $CREDENTIALS_DIRECTORY/<name>; see systemd.exec(5).
//   vault        KV version 2: VAULT_ADDR, VAULT_TOKEN, VAULT_SECRET_PATH/<key_id> (or else
//                VAULT_SECRET_PATH itself), field `api_key`; VAULT_NAMESPACE and VAULT_CACERT as
//                Vault's own programs use them.
//                https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
//   command      /bin/sh -c, with `environment` and KEY_ID; what it prints to stdout.
//
// A newline at the end is not part of a secret. Anything but printable ASCII without spaces is an
// error, because it would break the header it is sent in or be refused by every provider. Errors
// are one line: the places that were looked at and the remedy, never a secret, and nothing that a
// command or server said.
tl::expected<Secret, std::string> Fetch(const config::Key& key, const config::Settings& settings,
                                        const config::Environment& environment);

// The variables that are looked at for a key, in order, without repetition.
std::vector<std::string> VariablesOf(std::string_view key_id);

}  // namespace requestrouter::secrets
