#include "daemon/config/providers.h"

#include <algorithm>
#include <array>

#include "daemon/config/base_url.h"
#include "daemon/config/fields.h"

namespace requestrouter::config {
namespace {

using upstream::ProviderKind;

struct NamedKind {
  std::string_view name;
  ProviderKind kind;
};
constexpr std::array<NamedKind, 3> kKinds = {{
    {"gemini", ProviderKind::kGemini},
    {"openai", ProviderKind::kOpenAi},
    {"anthropic", ProviderKind::kAnthropic},
}};

constexpr auto kKindNames = [] {
  std::array<std::string_view, kKinds.size()> names;
  std::transform(kKinds.begin(), kKinds.end(), names.begin(),
                 [](const NamedKind& kind) { return kind.name; });
  return names;
}();

// How a kind of provider counts.
//
// Gemini: tokens per minute are input tokens; a day begins at midnight in America/Los_Angeles.
//   https://ai.google.dev/gemini-api/docs/rate-limits
// OpenAI: a request counts with the larger of its input estimate and max_tokens, so both together
//   are never too little. https://platform.openai.com/docs/guides/rate-limits
// Anthropic: input tokens a minute without those read from a cache (ITPM) and output tokens a
//   minute (OTPM). https://docs.anthropic.com/en/api/rate-limits
Provider OfKind(ProviderKind kind) {
  Provider provider;
  provider.http.kind = kind;
  switch (kind) {
    case ProviderKind::kGemini:
      provider.counts = policy::Counts::kInput;
      provider.day_reset = DayReset::kPacificMidnight;
      break;
    case ProviderKind::kOpenAi:
      provider.counts = policy::Counts::kInputAndMaxOutput;
      break;
    case ProviderKind::kAnthropic:
      provider.counts = policy::Counts::kInput;
      provider.cached_counts = false;
      break;
  }
  return provider;
}

struct BuiltIn {
  std::string_view name;
  ProviderKind kind;
  std::string_view base_url;
  DayReset day_reset;
};

// OpenAI and Groq refill requests per day continuously (their 429s and reset headers name seconds
// and minutes, not the rest of a day), so a rolling day fits them; OpenRouter's free models begin
// a day at midnight UTC.
constexpr std::array<BuiltIn, 14> kBuiltIns = {{
    {"gemini", ProviderKind::kGemini, "https://generativelanguage.googleapis.com",
     DayReset::kPacificMidnight},
    {"openai", ProviderKind::kOpenAi, "https://api.openai.com/v1", DayReset::kRolling24h},
    {"anthropic", ProviderKind::kAnthropic, "https://api.anthropic.com", DayReset::kUtcMidnight},
    {"groq", ProviderKind::kOpenAi, "https://api.groq.com/openai/v1", DayReset::kRolling24h},
    {"mistral", ProviderKind::kOpenAi, "https://api.mistral.ai/v1", DayReset::kUtcMidnight},
    {"openrouter", ProviderKind::kOpenAi, "https://openrouter.ai/api/v1", DayReset::kUtcMidnight},
    {"deepseek", ProviderKind::kOpenAi, "https://api.deepseek.com", DayReset::kUtcMidnight},
    {"together", ProviderKind::kOpenAi, "https://api.together.xyz/v1", DayReset::kUtcMidnight},
    {"xai", ProviderKind::kOpenAi, "https://api.x.ai/v1", DayReset::kUtcMidnight},
    {"cerebras", ProviderKind::kOpenAi, "https://api.cerebras.ai/v1", DayReset::kUtcMidnight},
    {"fireworks", ProviderKind::kOpenAi, "https://api.fireworks.ai/inference/v1",
     DayReset::kUtcMidnight},
    {"ollama", ProviderKind::kOpenAi, "http://127.0.0.1:11434/v1", DayReset::kUtcMidnight},
    {"llamacpp", ProviderKind::kOpenAi, "http://127.0.0.1:8080/v1", DayReset::kUtcMidnight},
    {"vllm", ProviderKind::kOpenAi, "http://127.0.0.1:8000/v1", DayReset::kUtcMidnight},
}};

bool IsToken(std::string_view name) {  // RFC 9110, 5.6.2
  for (const char c : name) {
    const bool alphanumeric =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!alphanumeric && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !name.empty();
}

// What is wrong with a header; empty: nothing.
std::string HeaderProblem(std::string_view name, const Node& value) {
  constexpr std::array<std::string_view, 5> kSecret = {"authorization", "proxy-authorization",
                                                       "x-api-key", "api-key", "x-goog-api-key"};
  constexpr std::array<std::string_view, 3> kOwn = {"content-length", "transfer-encoding",
                                                    "content-type"};
  if (!IsToken(name)) return "is not the name of an HTTP header";
  for (const auto taken : kSecret) {
    if (EditDistance(name, taken) == 0) {
      return "secrets do not belong in this file; remove it (each key's secret is sent by itself)";
    }
  }
  for (const auto taken : kOwn) {
    if (EditDistance(name, taken) == 0) return "is set by routerd; remove it";
  }
  if (value.kind != Node::Kind::kString) return "must be a text, is " + Describe(value);
  for (const char c : value.text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      return "must not hold control characters";
    }
  }
  return "";
}

void ReadHeaders(const ObjectReader& reader, Provider& provider) {
  const auto headers = reader.Object("headers");
  if (!headers) return;
  for (const Member& member : headers->node().members) {
    const std::string problem = HeaderProblem(member.name, member.value);
    if (!problem.empty()) {
      headers->Error(member.name, problem);
    } else {
      provider.http.headers.emplace_back(member.name, member.value.text);
    }
  }
}

void ReadCounting(const ObjectReader& reader, Provider& provider) {
  constexpr std::array<std::string_view, 3> kCounts = {"input", "input+output", "input+max_output"};
  constexpr std::array<std::string_view, 2> kBursts = {"window", "smooth"};
  constexpr std::array<std::string_view, 3> kResets = {"pacific_midnight", "utc_midnight",
                                                       "rolling_24h"};
  if (const auto counts = reader.Word("counts", kCounts)) {
    provider.counts = *counts == kCounts[0]   ? policy::Counts::kInput
                      : *counts == kCounts[1] ? policy::Counts::kInputAndOutput
                                              : policy::Counts::kInputAndMaxOutput;
  }
  if (const auto cached = reader.Bool("cached_counts")) provider.cached_counts = *cached;
  if (const auto burst = reader.Word("burst", kBursts)) {
    provider.burst = *burst == "window" ? policy::Burst::kWindow : policy::Burst::kSmooth;
  }
  if (const auto reset = reader.Word("rpd_reset", kResets)) {
    provider.day_reset = *reset == kResets[0]   ? DayReset::kPacificMidnight
                         : *reset == kResets[1] ? DayReset::kUtcMidnight
                                                : DayReset::kRolling24h;
  }
}

void ReadTimeout(const ObjectReader& reader, std::string_view name,
                 std::chrono::milliseconds& timeout) {
  if (const auto ms = reader.Whole(name, 1, 86'400'000)) timeout = std::chrono::milliseconds(*ms);
}

void ReadBaseUrl(const ObjectReader& reader, Provider& provider) {
  const auto text = reader.Text("base_url");
  if (!text) {
    if (provider.http.base_url.empty() && !reader.Has("base_url")) {
      reader.report().Error(reader.line(), reader.path(),
                            "base_url is needed for a provider that is not built in");
    }
    return;
  }
  const auto url = CheckBaseUrl(*text, provider.http.kind);
  if (!url) return reader.Error("base_url", url.error());
  provider.http.base_url = url->url;
  if (url->warning) {
    reader.report().Warn(reader.LineOf("base_url"), reader.PathOf("base_url"), *url->warning);
  }
}

// The kind, or nullopt where it is needed and not given.
std::optional<ProviderKind> ReadKind(const ObjectReader& reader, const Provider* built_in) {
  const auto word = reader.Word("kind", kKindNames);
  for (const NamedKind& named : kKinds) {
    if (word == named.name) return named.kind;
  }
  if (built_in != nullptr) return built_in->http.kind;
  if (!reader.Has("kind")) {
    reader.report().Error(reader.line(), reader.path(),
                          "kind is needed for a provider that is not built in: \"gemini\", "
                          "\"openai\" (and everything compatible) or \"anthropic\"");
  }
  return std::nullopt;
}

Provider ReadProvider(const ObjectReader& reader, const std::string& name,
                      const Provider* built_in) {
  reader.WarnOfUnknown(kProviderFields);
  const auto kind = ReadKind(reader, built_in);
  const bool as_built_in = built_in != nullptr && kind == built_in->http.kind;
  Provider provider = as_built_in ? *built_in : OfKind(kind.value_or(ProviderKind::kOpenAi));
  provider.http.name = name;
  ReadBaseUrl(reader, provider);
  ReadHeaders(reader, provider);
  ReadCounting(reader, provider);
  ReadTimeout(reader, "connect_timeout_ms", provider.http.connect_timeout);
  ReadTimeout(reader, "first_token_timeout_ms", provider.http.first_token_timeout);
  ReadTimeout(reader, "idle_timeout_ms", provider.http.idle_timeout);
  ReadTimeout(reader, "total_timeout_ms", provider.http.total_timeout);
  return provider;
}

void ApplyVariable(const Variables& variables, Provider& provider) {
  const std::string name = BaseUrlVariable(provider.http.name);
  const auto text = variables.Text(name);
  if (!text) return;
  const auto url = CheckBaseUrl(*text, provider.http.kind);
  if (!url) return variables.Error(name, url.error());
  provider.http.base_url = url->url;
  if (url->warning) variables.Warn(name, *url->warning);
}

// A variable for a provider that does not exist is a misspelt name.
void WarnOfStrayVariables(const Variables& variables,
                          const std::map<std::string, Provider>& providers) {
  constexpr std::string_view kPrefix = "ROUTERD_", kSuffix = "_BASE_URL";
  std::vector<std::string> known;
  for (const auto& [name, provider] : providers) known.push_back(BaseUrlVariable(name));
  for (const auto& [name, value] : variables.all()) {
    const bool ours = name.size() > kPrefix.size() + kSuffix.size() &&
                      name.compare(0, kPrefix.size(), kPrefix) == 0 &&
                      name.compare(name.size() - kSuffix.size(), kSuffix.size(), kSuffix) == 0;
    if (ours && std::find(known.begin(), known.end(), name) == known.end()) {
      variables.Warn(name, "names no provider" + DidYouMean(name, known));
    }
  }
}

}  // namespace

std::string BaseUrlVariable(std::string_view provider) {
  std::string name = "ROUTERD_";
  for (const char c : provider) {
    const bool lower = c >= 'a' && c <= 'z';
    name += c == '-' || c == '.' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return name + "_BASE_URL";
}

std::map<std::string, Provider> BuiltInProviders() {
  std::map<std::string, Provider> providers;
  for (const BuiltIn& known : kBuiltIns) {
    Provider provider = OfKind(known.kind);
    provider.http.name = known.name;
    provider.http.base_url = known.base_url;
    provider.day_reset = known.day_reset;
    providers.emplace(known.name, std::move(provider));
  }
  return providers;
}

std::map<std::string, Provider> ReadProviders(const ObjectReader* block,
                                              const Variables& variables) {
  auto providers = BuiltInProviders();
  if (block != nullptr) {
    for (const Member& member : block->node().members) {
      if (IsComment(member.name)) continue;
      if (!IsToken(member.name)) {
        block->Error(member.name, "a provider's name must be of letters, digits, '-' and '_'");
        continue;
      }
      const auto reader = block->Object(member.name);
      if (!reader) continue;
      const auto known = providers.find(member.name);
      Provider provider =
          ReadProvider(*reader, member.name, known == providers.end() ? nullptr : &known->second);
      providers.insert_or_assign(member.name, std::move(provider));
    }
  }
  for (auto& [name, provider] : providers) ApplyVariable(variables, provider);
  WarnOfStrayVariables(variables, providers);
  return providers;
}

}  // namespace requestrouter::config
