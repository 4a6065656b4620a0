#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/policy/key_pool.h"
#include "daemon/policy/pool_config.h"
#include "daemon/policy/request.h"

namespace requestrouter::policy {

// What may answer a request: the models it wants, and those that may stand in for them when
// waiting would take much longer. Requests with equal plans compete for the same capacity.
struct Plan {
  Choices wanted;
  Choices fallback;
  bool operator==(const Plan&) const = default;
  auto operator<=>(const Plan&) const = default;
};

// Wanted and fallback.
Choices AllOf(const Plan& plan);

// Makes the plan of a request. Empty `wanted`: nothing may answer it.
//
// A named model: that model, and with fallback allowed the others of its tier, else those of the
// tier that `auto` would choose. A model that no key serves is, with fallback allowed, replaced by
// these. A tier: the models that the mapping lists for it, in order, then keys tagged with it, and
// where there are neither, the models of the nearest tier, the lighter one first; the rest only
// instead of a long wait, so that small work does not spend the quota of large models while small
// ones have room. Names that no key serves are skipped.
//
// A named key: the wanted model, else all its models in their order, with that key alone, and
// nothing instead.
class Planner {
 public:
  // Both outlive the planner.
  Planner(const Config* config, const KeyPool* pool) : config_(config), pool_(pool) {}

  Plan Make(const Ask& ask) const;

  // `auto`: by the size of what goes in and is expected to come out.
  Tier TierOf(const Ask& ask) const;

  // That the mapping or else the lightest tag of its keys gives a served model.
  std::optional<Tier> KnownTier(std::uint32_t model) const;

 private:
  const std::vector<std::string>& Mapping(Tier tier) const;
  std::optional<Tier> MappedTier(const std::string& model) const;
  Choices OfKey(const Ask& ask) const;
  Tier TierOfModel(std::uint32_t model) const;  // medium where it is not known
  Choices OfTier(Tier tier, const Ask& ask) const;
  Plan ByTier(Tier tier, const Ask& ask) const;

  const Config* config_;
  const KeyPool* pool_;
};

}  // namespace requestrouter::policy
