#include "daemon/upstream/reasoning.h"

namespace requestrouter::upstream {
namespace {

constexpr std::int64_t kLow = 1'024;
constexpr std::int64_t kMedium = 8'192;
constexpr std::int64_t kHigh = 24'576;

}  // namespace

const char* EffortName(ipc::Effort effort) {
  switch (effort) {
    case ipc::Effort::kLow:
      return "low";
    case ipc::Effort::kMedium:
      return "medium";
    case ipc::Effort::kHigh:
      break;
  }
  return "high";
}

std::int64_t BudgetOf(const ipc::Reasoning& reasoning) {
  if (reasoning.budget_tokens) return *reasoning.budget_tokens;
  switch (reasoning.effort.value_or(ipc::Effort::kMedium)) {
    case ipc::Effort::kLow:
      return kLow;
    case ipc::Effort::kMedium:
      return kMedium;
    case ipc::Effort::kHigh:
      break;
  }
  return kHigh;
}

ipc::Effort EffortOf(const ipc::Reasoning& reasoning) {
  if (reasoning.effort) return *reasoning.effort;
  const std::int64_t budget = BudgetOf(reasoning);
  if (budget <= kLow) return ipc::Effort::kLow;
  return budget <= kMedium ? ipc::Effort::kMedium : ipc::Effort::kHigh;
}

std::int64_t OutputLimitWith(std::int64_t budget, std::int64_t max_output_tokens) {
  return budget < max_output_tokens ? max_output_tokens : max_output_tokens + budget;
}

}  // namespace requestrouter::upstream
