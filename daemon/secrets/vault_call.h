#pragma once

#include <chrono>
#include <string>

#include <tl/expected.hpp>

namespace requestrouter::secrets {

struct VaultServer {
  std::string address;     // VAULT_ADDR
  std::string token;       // sent in a header only
  std::string name_space;  // empty: none
  std::string ca_file;     // empty: the system's
};

struct VaultAnswer {
  long status = 0;
  std::string body;  // may hold a secret: wipe it
};

// GET <address>/v1/<path>, blocking until `deadline` at the latest. Fails, in one line without
// secrets, where no complete HTTP answer came. Redirects and proxies are not followed: the token
// goes to `address` and nowhere else.
tl::expected<VaultAnswer, std::string> VaultGet(const VaultServer& server, const std::string& path,
                                                std::chrono::steady_clock::time_point deadline);

}  // namespace requestrouter::secrets
