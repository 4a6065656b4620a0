#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/config/caller_rule.h"
#include "daemon/config/object_reader.h"

// The blocks "callers" and "agents" of keys.json: who may use what, and whose share is larger.
namespace requestrouter::config {

// Reports users and groups that do not exist: a rule for nobody is a misspelt one.
std::vector<CallerRule> ReadCallers(const ObjectReader& root);

// Weights by the name of the agent.
std::map<std::string, double> ReadAgents(const ObjectReader& root);

}  // namespace requestrouter::config
