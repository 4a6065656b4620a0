#include "daemon/config/secret_store.h"

#include <string>

#include "daemon/config/fields.h"
#include "daemon/policy/lower_case.h"

namespace requestrouter::config {
namespace {

// What is wrong with the name of a secret store; empty: nothing.
std::string StoreProblem(const std::string& store) {
  for (const auto known : kSecretFields) {
    if (store == known) return "";
  }
  if (store == "aws" || store == "azure") {
    return Quote(store) + " is not built in; use \"command\" with a program that prints the " +
           "secret, for example \"secret_command\": " +
           (store == "aws"
                ? "\"aws secretsmanager get-secret-value --secret-id $KEY_ID --query "
                  "SecretString --output text\""
                : "\"az keyvault secret show --vault-name VAULT --name $KEY_ID --query value "
                  "--output tsv\"");
  }
  return "must be " + Enumerate({kSecretFields.begin(), kSecretFields.end()}) + ", is " +
         Quote(store) + DidYouMean(store, kSecretFields);
}

}  // namespace

void ReadSecretStore(const SettingSource& source, Settings& settings) {
  const auto store = source.Text("secret_store", "SECRET_STORE_TYPE");
  if (store) settings.secret_store = policy::LowerCase(*store);
  const std::string problem = StoreProblem(settings.secret_store);
  if (!problem.empty()) source.Error("secret_store", "SECRET_STORE_TYPE", problem);
  if (settings.secret_store == "command" && settings.secret_command.empty()) {
    source.Error("secret_store", "SECRET_STORE_TYPE",
                 "\"command\" needs config.secret_command, a program that prints the secret of "
                 "the key named by $KEY_ID");
  }
}

}  // namespace requestrouter::config
