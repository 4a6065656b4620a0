#include "daemon/config/key_secret.h"

#include <array>

#include "daemon/config/fields.h"

namespace requestrouter::config {
namespace {

using Kind = SecretSource::Kind;

constexpr std::string_view kForm =
    "must say where the secret comes from, never the secret itself: \"env:NAME\", "
    "\"file:/path\", \"credential:NAME\", \"vault:mount/path\" or \"command:...\"";

std::optional<Kind> KindOf(std::string_view name) {
  constexpr std::array<Kind, kSecretFields.size()> kKinds = {Kind::kEnvironment, Kind::kFile,
                                                             Kind::kCredential, Kind::kVault,
                                                             Kind::kCommand};  // as kSecretFields
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (name == kSecretFields[i]) return kKinds[i];
  }
  return std::nullopt;
}

// What is wrong with a value; empty: nothing.
std::string ValueProblem(const SecretSource& source) {
  const bool nameless = source.value.empty();
  if (nameless && source.kind == Kind::kCommand) return "names no command";
  if (source.kind == Kind::kCredential && source.value.find('/') != std::string::npos) {
    return "is a credential's name, not a path; use \"file\" for paths";
  }
  if (source.value.find('\0') != std::string::npos) return "must not hold a NUL character";
  return "";
}

SecretSource Checked(const ObjectReader& at, std::string_view field, SecretSource source,
                     const std::string& directory) {
  const std::string problem = ValueProblem(source);
  if (!problem.empty()) at.Error(field, problem);
  if (source.kind == Kind::kFile && !source.value.empty() && source.value.front() != '/') {
    source.value = directory + "/" + source.value;
  }
  return source;
}

SecretSource FromText(const ObjectReader& key, const std::string& text,
                      const std::string& directory) {
  const auto colon = text.find(':');
  const auto kind = KindOf(text.substr(0, colon));
  if (!kind) {
    key.Error("secret", std::string(kForm));
    return {};
  }
  const std::string value = colon == std::string::npos ? "" : text.substr(colon + 1);
  return Checked(key, "secret", {*kind, value}, directory);
}

SecretSource FromObject(const ObjectReader& object, const std::string& directory) {
  object.WarnOfUnknown(kSecretFields);
  std::vector<std::string_view> given;
  for (const auto field : kSecretFields) {
    if (object.Has(field)) given.push_back(field);
  }
  if (given.size() != 1) {
    object.report().Error(object.line(), object.path(),
                          "must name one source: \"env\", \"file\", \"credential\", \"vault\" or "
                          "\"command\"");
    return {};
  }
  const auto value = object.Text(given.front());
  if (!value) return {};
  return Checked(object, given.front(), {*KindOf(given.front()), *value}, directory);
}

}  // namespace

SecretSource ReadSecretSource(const ObjectReader& key, const Settings& settings,
                              const std::string& directory) {
  const Node* node = key.Find("secret");
  if (node == nullptr) return {KindOf(settings.secret_store).value_or(Kind::kEnvironment), ""};
  if (node->kind == Node::Kind::kString) return FromText(key, node->text, directory);
  if (node->kind == Node::Kind::kObject) {
    return FromObject(ObjectReader(*node, key.PathOf("secret"), key.report()), directory);
  }
  key.Error("secret", std::string(kForm));
  return {};
}

}  // namespace requestrouter::config
