// Turns a request into a TodoList.

#include "structured.h"

namespace {

constexpr const char* kSchema = R"({
  "type": "object", "required": ["todos"],
  "properties": {"todos": {"type": "array", "minItems": 1, "items": {
    "type": "object", "required": ["title", "done"],
    "properties": {"title": {"type": "string", "minLength": 1}, "done": {"type": "boolean"}}}}}})";

}  // namespace

int main(int argc, char** argv) {
  return requestrouter::examples::RunAgent(
      argc, argv, "planner", "TodoList", kSchema,
      "You plan. Answer with a TodoList in JSON and nothing else: steps that one person does in a "
      "day, each one sentence.");
}
