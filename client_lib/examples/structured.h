#pragma once

#include <functional>
#include <string>
#include <vector>

#include "requestrouter/client.h"

// What planner and architect share: an answer in JSON that is asked for again until it is valid.
namespace requestrouter::examples {

// What is wrong with an answer, a sentence each; empty where it is valid.
using Check = std::function<std::vector<std::string>(const std::string& answer)>;

// Asks up to three times in the request's conversation, each time with what was wrong. The valid
// answer's text, the router's error, or kUpstreamRejected where no answer was valid.
Result<std::string> AskUntilValid(Client& client, ChatRequest request, const Check& check);

// The whole program of such an agent: `role` names the conversation, `noun` the answer.
int RunAgent(int argc, char** argv, const std::string& role, const std::string& noun,
             const std::string& schema_json, const Check& check);

}  // namespace requestrouter::examples
