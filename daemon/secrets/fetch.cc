#include <string.h>

#include <algorithm>

#include "daemon/secrets/secrets.h"
#include "daemon/secrets/sources.h"

namespace requestrouter::secrets {
namespace {

using Kind = config::SecretSource::Kind;

// The part of an error message that says where a secret came from.
std::string PlaceOf(const config::Key& key, const config::Environment& environment) {
  const std::string& value = key.secret.value;
  switch (key.secret.kind) {
    case Kind::kEnvironment:
      if (!value.empty()) return "variable " + value;
      for (const std::string& name : VariablesOf(key.key_id)) {
        const auto at = environment.find(name);
        if (at != environment.end() && !at->second.empty()) return "variable " + name;
      }
      return "credential " + CredentialOf(key.key_id, environment);
    case Kind::kFile:
      return value.empty() ? "its file" : "file " + value;
    case Kind::kCredential:
      return "credential " + (value.empty() ? key.key_id : value);
    case Kind::kVault:
      return "Vault";
    case Kind::kCommand:
      return "its command";
  }
  return "";
}

Found FromDefaultEnvironment(const config::Key& key, const config::Environment& environment) {
  Found found = FromEnvironment(key.key_id, "", environment);
  if (found) return found;
  const auto names = VariablesOf(key.key_id);
  const bool none_set = std::none_of(names.begin(), names.end(), [&](const std::string& name) {
    const auto at = environment.find(name);
    return at != environment.end() && !at->second.empty();
  });
  const std::string credential = CredentialOf(key.key_id, environment);
  if (none_set && HasCredential(credential, environment)) {
    return FromCredential(credential, environment);
  }
  return found;
}

Found FromSource(const config::Key& key, const config::Settings& settings,
                 const config::Environment& environment) {
  const std::string& value = key.secret.value;
  switch (key.secret.kind) {
    case Kind::kEnvironment:
      return value.empty() ? FromDefaultEnvironment(key, environment)
                           : FromEnvironment(key.key_id, value, environment);
    case Kind::kFile:
      return FromFile(value.empty() ? settings.secret_directory + "/" + key.key_id : value);
    case Kind::kCredential:
      return FromCredential(value.empty() ? CredentialOf(key.key_id, environment) : value,
                            environment);
    case Kind::kVault:
      return FromVault(key.key_id, value, environment, settings.secret_timeout);
    case Kind::kCommand:
      return FromCommand(key.key_id, value.empty() ? settings.secret_command : value, environment,
                         settings.secret_timeout);
  }
  return NotFound("unknown source");
}

// What makes a text unfit to be a secret; empty: nothing.
std::string Fault(std::string_view text) {
  if (text.empty()) return "is empty; put the provider's API key there";
  if (text.size() > kMaxSecretBytes) {
    return "is longer than " + std::to_string(kMaxSecretBytes) +
           " bytes; it must hold nothing but the API key";
  }
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == '\n' || byte == '\r') {
      return "holds a line break; it must be the API key alone, on one line";
    }
    if (byte < 0x20 || byte == 0x7f) return "holds a control character; enter the API key again";
    if (byte == ' ') return "holds a space; it must be the API key alone";
    if (byte > 0x7f) return "holds a character that is not ASCII; enter the API key again";
  }
  return "";
}

std::string_view WithoutNewline(std::string_view text) {
  if (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  if (!text.empty() && text.back() == '\r') text.remove_suffix(1);
  return text;
}

}  // namespace

void Wipe(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

tl::expected<Secret, std::string> Fetch(const config::Key& key, const config::Settings& settings,
                                        const config::Environment& environment) {
  const std::string prefix = "no secret for key \"" + key.key_id + "\": ";
  Found found = FromSource(key, settings, environment);
  if (!found) return NotFound(prefix + found.error());
  const std::string_view text = WithoutNewline(*found);
  const std::string fault = Fault(text);
  if (!fault.empty()) {
    Wipe(*found);
    return NotFound(prefix + "what " + PlaceOf(key, environment) + " gives " + fault);
  }
  Secret secret(text);
  Wipe(*found);
  return secret;
}

}  // namespace requestrouter::secrets
