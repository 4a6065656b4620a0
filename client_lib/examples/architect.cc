// Turns a task into a contract between components.

#include "structured.h"

namespace {

constexpr const char* kSchema = R"({
  "type": "object", "required": ["name", "purpose", "functions"],
  "properties": {
    "name": {"type": "string", "minLength": 1},
    "purpose": {"type": "string", "minLength": 1},
    "functions": {"type": "array", "minItems": 1, "items": {
      "type": "object", "required": ["signature", "promise"],
      "properties": {"signature": {"type": "string", "minLength": 1},
                     "promise": {"type": "string", "minLength": 1}}}}}})";

}  // namespace

int main(int argc, char** argv) {
  return requestrouter::examples::RunAgent(
      argc, argv, "architect", "Contract", kSchema,
      "You design interfaces. Answer with a Contract in JSON and nothing else: each function's "
      "signature, and what it promises to its caller, failures included.");
}
