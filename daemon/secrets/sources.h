#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "daemon/config/config.h"

// The places a secret may come from. Each returns it as found; fetch.cc checks it, moves it into a
// Secret and wipes what is returned here. Errors are as Fetch describes them.
namespace requestrouter::secrets {

using Found = tl::expected<std::string, std::string>;
using NotFound = tl::unexpected<std::string>;

// `variable` is exactly the one to read; empty: VariablesOf(key_id).
Found FromEnvironment(std::string_view key_id, const std::string& variable,
                      const config::Environment& environment);

Found FromFile(const std::string& path);

// Whether systemd passed a credential of that name.
bool HasCredential(std::string_view name, const config::Environment& environment);
// The name of a key's own credential: its id, or `key_` and its id where only that was passed, as
// LoadCredential=key:FOLDER names what is in a folder (systemd.exec(5)).
std::string CredentialOf(std::string_view key_id, const config::Environment& environment);
Found FromCredential(std::string_view name, const config::Environment& environment);

// `path` is "mount/path" or "mount/path#field"; empty: VAULT_SECRET_PATH, for the key.
Found FromVault(std::string_view key_id, const std::string& path,
                const config::Environment& environment, std::chrono::milliseconds timeout);

Found FromCommand(std::string_view key_id, const std::string& command,
                  const config::Environment& environment, std::chrono::milliseconds timeout);

// Overwrites a text that held a secret and empties it.
void Wipe(std::string& text);

}  // namespace requestrouter::secrets
