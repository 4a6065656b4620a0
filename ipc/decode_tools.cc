#include "ipc/decode_tools.h"

#include <algorithm>
#include <unordered_set>

#include "ipc/bounds.h"

namespace requestrouter::ipc {
namespace {

using Mode = ToolChoice::Mode;

Tool ReadTool(const Value& value, const std::string& path, std::optional<Error>* error) {
  Fields fields(value, path, error);
  return {fields.RequiredText("name", bounds::kLabel), fields.Text("description"),
          fields.Map("parameters")};
}

ToolChoice ReadMode(Fields& body) {
  const std::string word = body.Text("tool_choice");
  if (word == "auto") return {Mode::kAuto, ""};
  if (word == "none") return {Mode::kNone, ""};
  if (word == "required") return {Mode::kRequired, ""};
  body.Fail("tool_choice", "must be one of auto, none, required, {name}, is " + Quoted(word));
  return {};
}

}  // namespace

std::vector<Tool> ReadTools(Fields& body) {
  std::vector<Tool> tools;
  std::unordered_set<std::string> names;
  body.Each("tools", bounds::kTools, [&](const Value& value, const std::string& path) {
    tools.push_back(ReadTool(value, path, body.error()));
    if (names.insert(tools.back().name).second) return;
    body.Fail("tools", "two of them are named " + Quoted(tools.back().name));
  });
  return tools;
}

ToolChoice ReadToolChoice(Fields& body, const std::vector<Tool>& tools) {
  const Value* value = body.Find("tool_choice");
  if (!value) return {};
  if (!value->is_object()) {
    ToolChoice choice = ReadMode(body);
    if (choice.mode == Mode::kRequired && tools.empty()) {
      body.Fail("tool_choice", "requires a tool, but there are no tools");
    }
    return choice;
  }
  const std::string name =
      Fields(*value, body.Path("tool_choice"), body.error()).RequiredText("name", bounds::kLabel);
  const auto named = [&name](const Tool& tool) { return tool.name == name; };
  if (std::none_of(tools.begin(), tools.end(), named)) {
    body.Fail("tool_choice", "there is no tool named " + Quoted(name));
  }
  return {Mode::kNamed, name};
}

}  // namespace requestrouter::ipc
