#pragma once

#include <string>

#include "requestrouter/client.h"

// What planner and architect are: a request that is answered in JSON of a schema.
namespace requestrouter::examples {

// Asks in the request's conversation until the answer is an instance of the schema of its
// `response_format`, three times at most, each time with what was wrong. The JSON text; the
// router's error; or kUpstreamRejected where no answer was valid.
Result<std::string> AskUntilValid(Client& client, ChatRequest request, const CallOptions& options);

// The whole program: `role` names the agent, `noun` the answer.
int RunAgent(int argc, char** argv, const std::string& role, const std::string& noun,
             const std::string& schema_json, const std::string& system_prompt);

}  // namespace requestrouter::examples
