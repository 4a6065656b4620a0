#include "client_lib/direct/endpoint.h"

#include <array>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "client_lib/src/errors.h"

namespace requestrouter::direct {
namespace {

struct Known {
  const char* name;
  upstream::ProviderKind kind;
  const char* base_url;
  const char* base_url_variable;
  std::array<const char*, 2> key_variables;
  const char* model;  // where none is named
};

constexpr std::array<Known, 3> kKnown = {{
    {"gemini",
     upstream::ProviderKind::kGemini,
     "https://generativelanguage.googleapis.com",
     "ROUTERD_GEMINI_BASE_URL",
     {"GEMINI_API_KEY", "GOOGLE_API_KEY"},
     "gemini-2.5-flash"},
    {"openai",
     upstream::ProviderKind::kOpenAi,
     "https://api.openai.com/v1",
     "ROUTERD_OPENAI_BASE_URL",
     {"OPENAI_API_KEY", nullptr},
     "gpt-5-mini"},
    {"anthropic",
     upstream::ProviderKind::kAnthropic,
     "https://api.anthropic.com",
     "ROUTERD_ANTHROPIC_BASE_URL",
     {"ANTHROPIC_API_KEY", nullptr},
     "claude-sonnet-4-5"},
}};

std::string Environment(const char* name) {
  const char* value = name ? std::getenv(name) : nullptr;
  return value ? value : "";
}

std::string KeyOf(const Known& known) {
  for (const char* variable : known.key_variables) {
    if (std::string key = Environment(variable); !key.empty()) return key;
  }
  return "";
}

const Known* ByName(std::string_view name) {
  for (const Known& known : kKnown) {
    if (name == known.name) return &known;
  }
  return nullptr;
}

const Known* ByModel(const std::string& model) {
  if (model.find("gemini") == 0 || model.find("gemma") == 0) return ByName("gemini");
  return ByName(model.find("claude") == 0 ? "anthropic" : "openai");
}

const Known* ByKey() {
  for (const Known& known : kKnown) {
    if (!KeyOf(known).empty()) return &known;
  }
  return &kKnown.front();
}

const Known* Choose(const DirectOptions& options, const std::string& model) {
  if (!options.provider.empty()) return ByName(options.provider);
  return model.empty() ? ByKey() : ByModel(model);
}

std::string BaseUrl(const Known& known) {
  std::string url = Environment(known.base_url_variable);
  if (url.empty()) url = known.base_url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url;
}

}  // namespace

Result<Endpoint> ChooseEndpoint(const DirectOptions& options, const std::string& model) {
  const Known* known = Choose(options, model);
  if (!known) return client::InvalidRequest("no provider \"" + options.provider + "\"");
  std::string secret = options.api_key.empty() ? KeyOf(*known) : options.api_key;
  if (secret.empty()) {
    return client::MakeError(ErrorType::kUpstreamAuth,
                             std::string("direct mode has no API key for ") + known->name +
                                 ": set " + known->key_variables.front());
  }
  auto provider = std::make_shared<upstream::Provider>();
  provider->name = known->name;
  provider->kind = known->kind;
  provider->base_url = BaseUrl(*known);
  return Endpoint{std::move(provider), model.empty() ? known->model : model, std::move(secret)};
}

}  // namespace requestrouter::direct
