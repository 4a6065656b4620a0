#include <optional>

#include <nlohmann/json.hpp>

#include "daemon/secrets/sources.h"
#include "daemon/secrets/vault_call.h"

namespace requestrouter::secrets {
namespace {

constexpr std::string_view kDefaultField = "api_key";

std::string Variable(const config::Environment& environment, const char* name) {
  const auto at = environment.find(name);
  return at == environment.end() ? "" : at->second;
}

std::string_view WithoutSlashes(std::string_view text) {
  while (!text.empty() && text.front() == '/') text.remove_prefix(1);
  while (!text.empty() && text.back() == '/') text.remove_suffix(1);
  return text;
}

// The path of Vault's API for what people write: "mount/path" as `vault kv get` takes it, the
// API's own "mount/data/path", or a path alone, in the mount that Vault begins with, "secret".
std::string ApiPath(std::string_view path) {
  path = WithoutSlashes(path);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos) return "secret/data/" + std::string(path);
  if (path.find("/data/") != std::string_view::npos) return std::string(path);
  return std::string(path.substr(0, slash)) + "/data/" + std::string(path.substr(slash + 1));
}

bool IsPath(std::string_view path) {
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '?' || c == '#' || c == '%') return false;
  }
  return !WithoutSlashes(path).empty() && path.find("..") == std::string_view::npos;
}

// Parses a KV version 2 answer: {"data": {"data": {field: secret}, "metadata": …}}.
Found FieldOf(const std::string& body, const std::string& field) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  const nlohmann::json* at = &json;
  for (const char* level : {"data", "data"}) {
    const auto inner = at->is_object() ? at->find(level) : at->end();
    if (!at->is_object() || inner == at->end() || !inner->is_object()) {
      return NotFound("Vault's answer is not of a KV version 2 secret; check VAULT_SECRET_PATH");
    }
    at = &*inner;
  }
  const auto value = at->find(field);
  if (value == at->end() || !value->is_string()) {
    return NotFound("the secret in Vault has no text field \"" + field + "\"; add it");
  }
  return value->get<std::string>();
}

std::string Refusal(long status, const std::string& path) {
  const std::string where = " (path " + path + ", HTTP " + std::to_string(status) + ")";
  switch (status) {
    case 403:
      return "Vault refused the token" + where + "; renew VAULT_TOKEN or allow it to read there";
    case 404:
      return "Vault has no such secret" + where + "; write it or correct VAULT_SECRET_PATH";
    case 503:
      return "Vault is sealed or in maintenance" + where + "; unseal it";
    default:
      return "Vault answered with an error" + where;
  }
}

struct Place {
  std::string path;  // of the API
  std::string field;
};

// Where to look, the most specific first; the error says what is missing.
tl::expected<std::vector<Place>, std::string> Places(std::string_view key_id,
                                                     const std::string& configured,
                                                     const config::Environment& environment) {
  if (!configured.empty()) {
    const auto hash = configured.find('#');
    const std::string path = configured.substr(0, hash);
    if (!IsPath(path)) return NotFound("its Vault path is not a path such as \"secret/llm\"");
    const std::string field =
        hash == std::string::npos ? std::string(kDefaultField) : configured.substr(hash + 1);
    return std::vector<Place>{{ApiPath(path), field}};
  }
  const std::string base = Variable(environment, "VAULT_SECRET_PATH");
  if (base.empty()) return NotFound("VAULT_SECRET_PATH is not set; set it, e.g. to secret/llm");
  if (!IsPath(base)) return NotFound("VAULT_SECRET_PATH is not a path such as \"secret/llm\"");
  const std::string field(kDefaultField);
  const std::string own = ApiPath(base) + "/" + std::string(key_id);
  return std::vector<Place>{{own, field}, {ApiPath(base), field}};
}

}  // namespace

Found FromVault(std::string_view key_id, const std::string& path,
                const config::Environment& environment, std::chrono::milliseconds timeout) {
  VaultServer server;
  server.address = Variable(environment, "VAULT_ADDR");
  server.token = Variable(environment, "VAULT_TOKEN");
  server.name_space = Variable(environment, "VAULT_NAMESPACE");
  server.ca_file = Variable(environment, "VAULT_CACERT");
  if (server.address.empty()) {
    return NotFound("VAULT_ADDR is not set; set it, e.g. to https://vault.example.com:8200");
  }
  if (server.address.compare(0, 8, "https://") != 0 &&
      server.address.compare(0, 7, "http://") != 0) {
    return NotFound("VAULT_ADDR must begin with https:// or http://");
  }
  if (server.token.empty()) return NotFound("VAULT_TOKEN is not set; set it");
  const auto places = Places(key_id, path, environment);
  if (!places) return NotFound(places.error());
  std::string first_refusal;
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (const Place& place : *places) {
    auto answer = VaultGet(server, place.path, deadline);
    if (!answer) return NotFound(answer.error());
    if (answer->status == 200) {
      Found found = FieldOf(answer->body, place.field);
      Wipe(answer->body);
      return found;
    }
    if (first_refusal.empty()) first_refusal = Refusal(answer->status, place.path);
    // A policy that allows only the other place answers 403 here, not 404.
    if (answer->status != 404 && answer->status != 403) break;
  }
  return NotFound(first_refusal);
}

}  // namespace requestrouter::secrets
