#include "daemon/policy/spent_limit.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "daemon/policy/lower_case.h"

namespace requestrouter::policy {
namespace {

struct Name {
  std::string_view words;
  LimitKind limit;
};

// Of quota ids, in lower case; the first that is found counts.
constexpr std::array kQuotaIds = {
    Name{"requestsperminute", LimitKind::kRpm},
    Name{"tokenspermodelperminute", LimitKind::kTpm},
    Name{"tokensperminute", LimitKind::kTpm},
};

// Of messages, in lower case; what holds another's words comes before it.
constexpr std::array kPhrases = {
    Name{"(rpm)", LimitKind::kRpm},
    Name{"(tpm)", LimitKind::kTpm},
    Name{"requests per min", LimitKind::kRpm},
    Name{"input tokens per min", LimitKind::kItpm},
    Name{"output tokens per min", LimitKind::kOtpm},
    Name{"tokens per min", LimitKind::kTpm},
};

template <typename Names>
void AddNamed(const std::string& text, const Names& names, std::vector<LimitKind>* spent) {
  const auto named = std::find_if(names.begin(), names.end(), [&](const Name& name) {
    return text.find(name.words) != std::string::npos;
  });
  if (named != names.end()) spent->push_back(named->limit);
}

}  // namespace

std::vector<LimitKind> SpentLimits(const Evidence& evidence) {
  std::vector<LimitKind> spent;
  if (evidence.status != 429) return spent;
  for (const std::string& id : evidence.quota_ids) AddNamed(LowerCase(id), kQuotaIds, &spent);
  if (spent.empty()) AddNamed(LowerCase(evidence.message), kPhrases, &spent);
  return spent;
}

}  // namespace requestrouter::policy
