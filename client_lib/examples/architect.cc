// Turns a task into a contract between components.

#include <nlohmann/json.hpp>

#include "structured.h"

namespace {

constexpr const char* kSchema = R"({
  "type": "object", "required": ["name", "functions"],
  "properties": {"name": {"type": "string"},
                 "functions": {"type": "array", "items": {"type": "string"}}}})";

std::vector<std::string> Mistakes(const std::string& answer) {
  const auto contract = nlohmann::json::parse(answer, nullptr, false);
  if (!contract.is_object()) return {"it is not a JSON object"};
  std::vector<std::string> mistakes;
  const auto name = contract.find("name");
  if (name == contract.end() || !name->is_string())
    mistakes.emplace_back("\"name\" must be a string");
  const auto functions = contract.find("functions");
  if (functions == contract.end() || !functions->is_array()) {
    mistakes.emplace_back("\"functions\" must be a list");
  }
  return mistakes;
}

}  // namespace

int main(int argc, char** argv) {
  return requestrouter::examples::RunAgent(argc, argv, "architect", "Contract", kSchema, Mistakes);
}
