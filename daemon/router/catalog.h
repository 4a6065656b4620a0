#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/config/config.h"
#include "daemon/policy/dispatcher.h"
#include "daemon/router/caller_rules.h"
#include "daemon/router/clock.h"
#include "daemon/secrets/secrets.h"
#include "ipc/chat.h"

namespace requestrouter::router {

// The configuration as the request path looks things up in it: keys with their secrets and
// providers, models with their prices and capabilities. Replaced as a whole on reload; what is
// under way keeps the one it began with.
class Catalog {
 public:
  using Secrets = std::map<std::string, std::shared_ptr<const secrets::Secret>>;  // by key_id

  // A key that is missing in `secrets` has none.
  Catalog(config::Config config, Secrets secrets);
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // The same but for one key's secret.
  std::shared_ptr<const Catalog> WithSecret(const std::string& key_id,
                                            std::shared_ptr<const secrets::Secret> secret) const;

  const config::Config& config() const { return config_; }
  const Secrets& secrets() const { return secrets_; }
  const config::Key* FindKey(std::string_view key_id) const;
  // nullptr where the key has no secret.
  std::shared_ptr<const secrets::Secret> SecretOf(const std::string& key_id) const;
  std::shared_ptr<const upstream::Provider> ProviderOf(const std::string& key_id) const;

  // Every model that some active key serves, in the order of the configuration.
  const std::vector<std::string>& models() const { return models_; }

  // What the caller may use; nullptr: everything.
  const config::CallerRule* RuleOf(const ipc::Peer& peer, const User* user) const {
    return rules_.Of(peer, user);
  }
  // Whether that depends on the caller's groups.
  bool rules_name_groups() const { return rules_.name_groups(); }

  // Context in tokens, where configured.
  std::optional<std::int64_t> ContextOf(const std::string& model) const;

  // The context to trim history to: that of `model` where it is served, else the largest there is.
  // nullopt: not known, or not known of every model.
  std::optional<std::int64_t> ContextFor(const std::string& model) const;

  // What the tokens cost, in US dollars; nullopt where no price is configured. Cached input is
  // billed at its own price where there is one.
  std::optional<double> CostOf(const std::string& model, const ipc::TokenUsage& tokens) const;

  // The providers through which active keys serve `model`, one of each kind.
  const std::vector<std::shared_ptr<const upstream::Provider>>& ProvidersOf(
      const std::string& model) const;

  // What a model can do; one without a capability list is taken to be capable of everything.
  std::vector<std::string> CapabilitiesOf(const std::string& model) const;

  // What policy wants to know, with days as `clock` tells them.
  policy::Config ToPolicy(const Clock& clock) const;

 private:
  policy::KeySpec ToKeySpec(const config::Key& key, const Clock& clock) const;

  const config::Config config_;
  Secrets secrets_;
  std::unordered_map<std::string_view, const config::Key*> keys_;  // of config_, by key_id
  CallerRules rules_;
  std::map<std::string, std::shared_ptr<const upstream::Provider>> providers_;  // by name
  std::vector<std::string> models_;
  std::map<std::string, std::vector<std::shared_ptr<const upstream::Provider>>> by_model_;
};

}  // namespace requestrouter::router
