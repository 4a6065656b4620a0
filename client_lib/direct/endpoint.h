#pragma once

#include <memory>
#include <string>

#include "daemon/upstream/attempt.h"
#include "requestrouter/direct.h"

namespace requestrouter::direct {

// Whom to call, and with what.
struct Endpoint {
  std::shared_ptr<const upstream::Provider> provider;
  std::string model;
  std::string secret;
};

// Chooses as DirectOptions says, from the environment as it is now. kInvalidRequest for a provider
// it does not know, kUpstreamAuth where there is no key.
Result<Endpoint> ChooseEndpoint(const DirectOptions& options, const std::string& model);

}  // namespace requestrouter::direct
