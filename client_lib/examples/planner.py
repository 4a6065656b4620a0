#!/usr/bin/env python3
"""Turns a request into a TodoList: JSON on standard output.

An answer that is not a TodoList is asked for again, with what was wrong with it, in the same
conversation. With --conversation an earlier plan is refined.

Exit codes: 0 done, 1 failed, 2 usage, 3 no daemon.
"""

import argparse
import json
import re
import sys

from requestrouter import get_request_router, new_conversation_id

SCHEMA = {
    "type": "object",
    "required": ["todos"],
    "properties": {
        "todos": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["title", "done"],
                "properties": {
                    "title": {"type": "string", "minLength": 1},
                    "done": {"type": "boolean"},
                },
            },
        }
    },
}
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool}


def mistakes(value, schema, path="the answer"):
    """What keeps a value from being an instance of the schema, a sentence each."""
    if not isinstance(value, TYPES[schema["type"]]):
        return [f"{path} must be of type {schema['type']}"]
    if isinstance(value, str) and len(value) < schema.get("minLength", 0):
        return [f"{path} must not be empty"]
    found = []
    if isinstance(value, dict):
        found += [f'{path} lacks "{name}"' for name in schema["required"] if name not in value]
        for name, member in schema["properties"].items():
            found += mistakes(value[name], member, f"{path}.{name}") if name in value else []
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            found.append(f"{path} must have at least {schema['minItems']} item(s)")
        for number, item in enumerate(value):
            found += mistakes(item, schema["items"], f"{path}[{number}]")
    return found


def mistakes_in(text):
    try:
        return mistakes(json.loads(text), SCHEMA)
    except ValueError as error:
        return [f"the answer is not JSON: {error}"]


def without_fences(text):
    """Models like to put an answer between ``` fences, whatever they are told."""
    fenced = re.search(r"```[^\n]*\n(.*?)\n```", text, re.DOTALL)
    return fenced.group(1) if fenced else text


def make_plan(router, conv_id, request, model=None, attempts=3):
    """The TodoList as text; exits with a message where none comes."""
    prompt, wrong = request, []
    for _ in range(attempts):
        answer = router.send_chat(
            conv_id,
            prompt,
            model,
            system_prompt="You plan. Answer with a TodoList in JSON and nothing else.",
            response_format={"type": "json_schema", "name": "TodoList", "schema": SCHEMA},
            agent="planner",
        )
        if not answer["success"]:
            print(f"planner: {answer['error']} ({answer['error_type']})", file=sys.stderr)
            sys.exit(3 if answer["error_type"] == "no_daemon" else 1)
        plan = without_fences(answer["content"])
        wrong = mistakes_in(plan)
        if not wrong:
            return plan
        prompt = "That is no valid TodoList:\n- " + "\n- ".join(wrong) + "\nAnswer again, corrected."
    sys.exit(f"planner: no valid TodoList in {attempts} answers; of the last: {wrong[0]}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("request", help="what to plan")
    parser.add_argument("--conversation", default="", help="go on with this one (default: begin)")
    parser.add_argument("--model", help="the model wanted (default: the router chooses)")
    options = parser.parse_args()
    conv_id = options.conversation or new_conversation_id("planner")
    print(f"conversation {conv_id}", file=sys.stderr)
    print(make_plan(get_request_router(), conv_id, options.request, options.model))


if __name__ == "__main__":
    main()
