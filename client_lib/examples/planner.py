#!/usr/bin/env python3
"""Turns a request into a TodoList: JSON on standard output.

An answer that is not a TodoList is asked for again, with what was wrong with it, in the same
conversation. A conversation goes on with --conversation: the plan is then refined.
"""

import argparse
import json
import sys

from requestrouter import get_request_router, new_conversation_id

SCHEMA = {
    "type": "object",
    "required": ["todos"],
    "properties": {
        "todos": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["title", "done"],
                "properties": {"title": {"type": "string"}, "done": {"type": "boolean"}},
            },
        }
    },
}


def mistakes(text):
    """What keeps the text from being a TodoList, a sentence each."""
    try:
        plan = json.loads(text)
    except ValueError as error:
        return [f"it is not JSON: {error}"]
    todos = plan.get("todos") if isinstance(plan, dict) else None
    if not isinstance(todos, list) or not todos:
        return ['"todos" must be a list with at least one item']
    found = []
    for number, todo in enumerate(todos):
        if not isinstance(todo, dict) or not isinstance(todo.get("title"), str):
            found.append(f"todos[{number}].title must be a string")
        elif not isinstance(todo.get("done"), bool):
            found.append(f"todos[{number}].done must be true or false")
    return found


def make_plan(router, conv_id, request, attempts=3):
    """The TodoList as text; exits with a message where none comes."""
    prompt = request
    for _ in range(attempts):
        answer = router.send_chat(
            conv_id,
            prompt,
            system_prompt="You plan. Answer with a TodoList in JSON and nothing else.",
            response_format={"type": "json_schema", "name": "TodoList", "schema": SCHEMA},
            agent="planner",
        )
        if not answer["success"]:
            sys.exit(f"planner: {answer['error_type']}: {answer['error']}")
        wrong = mistakes(answer["content"])
        if not wrong:
            return answer["content"]
        prompt = "That was no TodoList: " + "; ".join(wrong) + ". Answer again."
    sys.exit(f"planner: no valid TodoList after {attempts} answers")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("request", help="what to plan")
    parser.add_argument("--conversation", default="", help="go on with this one (default: begin)")
    options = parser.parse_args()
    conv_id = options.conversation or new_conversation_id("planner")
    print(f"conversation {conv_id}", file=sys.stderr)
    print(make_plan(get_request_router(), conv_id, options.request))


if __name__ == "__main__":
    main()
