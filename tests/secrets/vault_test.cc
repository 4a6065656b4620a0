#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/secrets/support.h"
#include "tests/secrets/vault_server.h"

namespace requestrouter::secrets {
namespace {

using config::Environment;
using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Kind = config::SecretSource::Kind;

constexpr char kToken[] = "hidden-token";

// As Vault answers a read of KV version 2.
std::string Kv2(const std::string& data) {
  return "{\"request_id\":\"1\",\"data\":{\"data\":" + data +
         ",\"metadata\":{\"version\":2}},\"warnings\":null}";
}

Environment EnvironmentOf(const VaultStandIn& vault, const std::string& path) {
  return {{"VAULT_ADDR", vault.address()}, {"VAULT_TOKEN", kToken}, {"VAULT_SECRET_PATH", path}};
}

std::string Outcome(const Environment& environment, const std::string& path = "",
                    milliseconds timeout = milliseconds(30'000)) {
  config::Settings settings;
  settings.secret_timeout = timeout;
  return OutcomeOf({Kind::kVault, path}, environment, settings);
}

TEST(VaultSecrets, AreTheFieldApiKeyBelowTheSecretPath) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/secret/data/llm/a", {200, Kv2("{\"api_key\":\"from-vault\"}")});
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "secret/llm")), "from-vault");
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "secret/data/llm")), "from-vault");
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "/secret/llm/")), "from-vault");
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "llm")), "from-vault");
}

TEST(VaultSecrets, OrAtTheSecretPathItself) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/kv/data/llm", {200, Kv2("{\"api_key\":\"shared\"}")});
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "kv/llm")), "shared");
}

TEST(VaultSecrets, APolicyThatAllowsOnlyThePathItselfIsEnough) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/kv/data/llm/a", {403, "{\"errors\":[\"permission denied\"]}"});
  vault.Put("/v1/kv/data/llm", {200, Kv2("{\"api_key\":\"shared\"}")});
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "kv/llm")), "shared");
}

TEST(VaultSecrets, AKeyMayNameItsOwnPathAndField) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/team/data/keys", {200, Kv2("{\"gemini\":\"of-gemini\",\"api_key\":\"default\"}")});
  const Environment environment = EnvironmentOf(vault, "");
  EXPECT_EQ(Outcome(environment, "team/keys#gemini"), "of-gemini");
  EXPECT_EQ(Outcome(environment, "team/keys"), "default");
}

TEST(VaultSecrets, TheTokenTravelsInAHeaderOnly) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/secret/data/llm/a", {200, Kv2("{\"api_key\":\"from-vault\"}")});
  Environment environment = EnvironmentOf(vault, "secret/llm");
  environment["VAULT_NAMESPACE"] = "team";
  Outcome(environment);
  ASSERT_EQ(vault.requests().size(), 1u);
  const std::string request = vault.requests().front();
  EXPECT_THAT(request, StartsWith("GET /v1/secret/data/llm/a HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Vault-Token: hidden-token\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Vault-Request: true\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nX-Vault-Namespace: team\r\n"));
}

TEST(VaultSecrets, AreNotSentThroughTheEnvironmentsProxy) {
  VaultStandIn vault(kToken);
  VaultStandIn proxy(kToken);
  vault.Put("/v1/secret/data/llm/a", {200, Kv2("{\"api_key\":\"from-vault\"}")});
  ASSERT_EQ(::setenv("http_proxy", proxy.address().c_str(), 1), 0);
  EXPECT_EQ(Outcome(EnvironmentOf(vault, "secret/llm")), "from-vault");
  ::unsetenv("http_proxy");
  EXPECT_TRUE(proxy.requests().empty());
}

TEST(VaultSecrets, MissingVariablesAreNamed) {
  EXPECT_EQ(Outcome({}), "VAULT_ADDR is not set; set it, e.g. to https://vault.example.com:8200");
  EXPECT_EQ(Outcome({{"VAULT_ADDR", "http://127.0.0.1:1"}}), "VAULT_TOKEN is not set; set it");
  EXPECT_EQ(Outcome({{"VAULT_ADDR", "http://127.0.0.1:1"}, {"VAULT_TOKEN", "hidden"}}),
            "VAULT_SECRET_PATH is not set; set it, e.g. to secret/llm");
}

TEST(VaultSecrets, PathsThatWouldReachElsewhereAreRefused) {
  const Environment base = {{"VAULT_ADDR", "http://127.0.0.1:1"}, {"VAULT_TOKEN", "hidden"}};
  for (const char* path : {"a b", "a?b", "a/../b", "a%2f", "/", "\n"}) {
    Environment environment = base;
    environment["VAULT_SECRET_PATH"] = path;
    EXPECT_EQ(Outcome(environment), "VAULT_SECRET_PATH is not a path such as \"secret/llm\"")
        << path;
    EXPECT_EQ(Outcome(base, path), "its Vault path is not a path such as \"secret/llm\"") << path;
  }
}

TEST(VaultSecrets, RefusalsSayWhatToDoAndShowNothingOfTheAnswer) {
  const struct {
    VaultStandIn::Answer answer;
    const char* said;
  } rows[] = {
      {{404, "hidden"},
       "Vault has no such secret (path kv/data/p, HTTP 404); write it or correct "
       "VAULT_SECRET_PATH"},
      {{403, "hidden"},
       "Vault refused the token (path kv/data/p, HTTP 403); renew VAULT_TOKEN or allow it to read "
       "there"},
      {{503, "hidden"}, "Vault is sealed or in maintenance (path kv/data/p, HTTP 503); unseal it"},
      {{500, "hidden"}, "Vault answered with an error (path kv/data/p, HTTP 500)"},
      {{301, "hidden"}, "Vault answered with an error (path kv/data/p, HTTP 301)"},
      {{200, "hidden"}, "Vault's answer is not of a KV version 2 secret; check VAULT_SECRET_PATH"},
      {{200, "{\"data\":{\"api_key\":\"hidden\"}}"},
       "Vault's answer is not of a KV version 2 secret; check VAULT_SECRET_PATH"},
      {{200, "{\"data\":{\"data\":null}}"},
       "Vault's answer is not of a KV version 2 secret; check VAULT_SECRET_PATH"},
      {{200, "[]"}, "Vault's answer is not of a KV version 2 secret; check VAULT_SECRET_PATH"},
      {{200, Kv2("{\"key\":\"hidden\"}")},
       "the secret in Vault has no text field \"api_key\"; add it"},
      {{200, Kv2("{\"api_key\":7}")}, "the secret in Vault has no text field \"api_key\"; add it"},
      {{200, Kv2("{\"api_key\":\"hid\\nden\"}")},
       "what Vault gives holds a line break; it must be the API key alone, on one line"},
  };
  for (const auto& row : rows) {
    VaultStandIn vault(kToken);
    vault.Put("/v1/kv/data/p", row.answer);
    EXPECT_EQ(Outcome(EnvironmentOf(vault, ""), "kv/p"), row.said);
  }
}

TEST(VaultSecrets, AWrongTokenIsRefusedAndNotShown) {
  VaultStandIn vault("another-token");
  const std::string said = Outcome(EnvironmentOf(vault, "secret/llm"));
  EXPECT_EQ(said,
            "Vault refused the token (path secret/data/llm/a, HTTP 403); renew VAULT_TOKEN or "
            "allow it to read there");
}

TEST(VaultSecrets, ATokenWithALineBreakIsNotSent) {
  VaultStandIn vault(kToken);
  Environment environment = EnvironmentOf(vault, "secret/llm");
  environment["VAULT_TOKEN"] = "hidden\r\nX-Other: header";
  EXPECT_EQ(Outcome(environment),
            "VAULT_TOKEN or VAULT_NAMESPACE holds a control character; enter it again");
  EXPECT_TRUE(vault.requests().empty());
}

TEST(VaultSecrets, AServerThatDoesNotAnswerIsGivenUp) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/kv/data/p", {200, "", true});
  EXPECT_EQ(Outcome(EnvironmentOf(vault, ""), "kv/p", milliseconds(50)),
            "Vault cannot be reached: Timeout was reached; check VAULT_ADDR");
}

TEST(VaultSecrets, AnEndlessAnswerIsRefused) {
  VaultStandIn vault(kToken);
  vault.Put("/v1/kv/data/p", {200, std::string(3 << 20, 'x')});
  EXPECT_THAT(Outcome(EnvironmentOf(vault, ""), "kv/p"), StartsWith("Vault cannot be reached: "));
}

TEST(VaultSecrets, AnAddressOfAnotherKindIsRefused) {
  for (const char* address : {"file:///etc", "vault.example.com:8200"}) {
    EXPECT_EQ(Outcome({{"VAULT_ADDR", address}, {"VAULT_TOKEN", "t"}}, "kv/p"),
              "VAULT_ADDR must begin with https:// or http://");
  }
}

}  // namespace
}  // namespace requestrouter::secrets
