#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/support/sim/chat.h"

namespace requestrouter::sim {

// What the answers are told to be, instead of what the rules below say.
struct Script {
  std::optional<std::string> text;       // as it is, whatever the limits on output
  std::size_t bytes = 0;                 // not 0: filler text of this size
  std::optional<Finish> finish;          // said instead of the true reason
  bool block_prompt = false;             // the safety filter refuses the prompt
  bool block_answer = false;             // it ends the answer after half of it
  std::vector<ToolCall> tool_calls;      // made whenever tools are offered
  std::optional<std::string> reasoning;  // thought whether asked for or not
  std::int64_t cached_tokens = 0;        // of the input, at most all of it
  std::size_t deltas = 0;                // see Said
};

// A deterministic answer that shows what arrived. The first rule that applies:
//   1. the script's text or size
//   2. tool results last:                "The tool said: R1; R2."
//   3. a tool must be called, or the last user turn says "call NAME": those calls, with arguments
//      after their schemas
//   4. JSON asked for:                   a value of the schema, or {"answer": rule 5 to 9}
//   5. images in the last turn:          "I see 2 images of 120 bytes."
//   6. "What is my name?":               "Your name is Ada.", after "My name is Ada" earlier
//   7. "What did I say first?":          "You said first: ..."
//   8. "What are your instructions?":    "My instructions are: ..." (the system prompt)
//   9. otherwise:                        "You said: ...; this is turn 3."
// Asked to reason, it thinks "The user says: ...". Stop sequences and limits on output are kept to.
Said Say(const Asked& asked, const Script& script);

}  // namespace requestrouter::sim
