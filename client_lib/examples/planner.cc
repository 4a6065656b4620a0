// Turns a request into a TodoList.

#include <nlohmann/json.hpp>

#include "structured.h"

namespace {

constexpr const char* kSchema = R"({
  "type": "object", "required": ["todos"],
  "properties": {"todos": {"type": "array", "items": {
    "type": "object", "required": ["title", "done"],
    "properties": {"title": {"type": "string"}, "done": {"type": "boolean"}}}}}})";

std::vector<std::string> Mistakes(const std::string& answer) {
  const auto plan = nlohmann::json::parse(answer, nullptr, false);
  if (!plan.is_object()) return {"it is not a JSON object"};
  const auto todos = plan.find("todos");
  if (todos == plan.end() || !todos->is_array() || todos->empty()) {
    return {"\"todos\" must be a list with at least one item"};
  }
  std::vector<std::string> mistakes;
  for (const auto& todo : *todos) {
    const bool good = todo.is_object() && todo.contains("title") && todo["title"].is_string() &&
                      todo.contains("done") && todo["done"].is_boolean();
    if (!good) mistakes.emplace_back("every todo needs a string \"title\" and a boolean \"done\"");
  }
  return mistakes;
}

}  // namespace

int main(int argc, char** argv) {
  return requestrouter::examples::RunAgent(argc, argv, "planner", "TodoList", kSchema, Mistakes);
}
