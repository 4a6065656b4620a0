"""The example agents as their users run them, through the real daemon to the simulated provider."""

import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

from support import BIN, EndToEnd

EXAMPLES = pathlib.Path(__file__).parents[2] / "client_lib" / "examples"
PLANNERS = {"C++": [BIN / "planner"], "Python": [sys.executable, "-B", EXAMPLES / "planner.py"]}


class Agents(EndToEnd):
    def setUp(self):
        super().setUp()
        self.running = self.daemon()
        self.environment = {**os.environ, "REQUESTROUTER_ENDPOINT": self.running.endpoint}

    def run_agent(self, *command):
        return subprocess.run(command, env=self.environment, capture_output=True, text=True,
                              timeout=60, check=False)

    def done(self, *command):
        ended = self.run_agent(*command)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return ended

    def conversation(self, ended):
        return re.search(r"^conversation (\S+)$", ended.stderr, re.M).group(1)

    def turns(self, conversation):
        kept = self.client(self.running).ask("conversation.get", {"conv_id": conversation})
        return [m["content"] for m in kept["body"]["messages"] if m["role"] == "user"]


class Planner(Agents):
    def test_a_request_becomes_a_todo_list(self):
        for language, planner in PLANNERS.items():
            with self.subTest(language):
                ended = self.done(*planner, "Build a shed")
                self.assertIn("title", json.loads(ended.stdout)["todos"][0])
                self.assertRegex(self.conversation(ended), "^planner_[0-9a-f]{8}$")

    def test_an_invalid_answer_is_asked_for_again_with_what_is_wrong_with_it(self):
        wrong = {"todos": [{"title": "", "done": False}, {"title": "Saw", "done": "no"}, 7, {}]}
        said = ['[0].title must not be empty', '[1].done must be of type boolean',
                '[2] must be of type object', '[3] lacks "title"']
        for language, planner in PLANNERS.items():
            for answer, mistakes in ((json.dumps(wrong), said), ("Sure!", ["is not JSON"]),
                                     ('{"todos": []}', ["at least 1 item"])):
                with self.subTest(language, answer=answer):
                    self.sim.control(answer_text=answer)
                    ended = self.run_agent(*planner, "Build a shed")
                    self.assertEqual(ended.returncode, 1)
                    self.assertIn("no valid TodoList in 3 answers", ended.stderr)
                    turns = self.turns(self.conversation(ended))
                    self.assertEqual(len(turns), 3)
                    self.assertEqual(turns[0], "Build a shed")
                    for mistake in mistakes:
                        self.assertIn(mistake, turns[1])

    def test_a_list_between_fences_is_taken(self):
        self.sim.control(
            answer_text='Here:\n```json\n{"todos": [{"title": "Saw", "done": false}]}\n```\nDone.')
        for language, planner in PLANNERS.items():
            with self.subTest(language):
                todos = json.loads(self.done(*planner, "Build a shed").stdout)["todos"]
                self.assertEqual(todos, [{"title": "Saw", "done": False}])


class Architect(Agents):
    def test_a_refinement_keeps_the_context(self):
        first = self.done(BIN / "architect", "The basket of a shop")
        self.assertIn("signature", json.loads(first.stdout)["functions"][0])
        conversation = self.conversation(first)
        self.assertRegex(conversation, "^architect_[0-9a-f]{8}$")
        self.done(BIN / "architect", "--conversation", conversation, "Add vouchers")
        self.assertEqual(self.turns(conversation), ["The basket of a shop", "Add vouchers"])


class Coder(Agents):
    def test_several_files_are_written_in_one_conversation(self):
        one, two = (f"{self.folder.name}/{name}.py" for name in ("one", "two"))
        ended = self.done(BIN / "coder", "--agent", "ada", one, "the first", two, "its tests")
        self.assertRegex(self.conversation(ended), "^coder_ada_[0-9a-f]{8}$")
        self.assertEqual(ended.stdout, f"wrote {one}\nwrote {two}\n")
        self.assertIn("this is turn 1", pathlib.Path(one).read_text())
        self.assertIn("this is turn 2", pathlib.Path(two).read_text())

    def test_what_is_between_fences_is_the_file(self):
        self.sim.control(answer_text="Here you are:\n```python\nprint(1)\n```\nEnjoy.")
        path = pathlib.Path(self.folder.name) / "one.py"
        self.done(BIN / "coder", path, "print one")
        self.assertEqual(path.read_text(), "print(1)\n")

    def test_a_file_that_cannot_be_written_is_named(self):
        ended = self.run_agent(BIN / "coder", "/nonexistent/one.py", "print one")
        self.assertEqual(ended.returncode, 1)
        self.assertIn("cannot write /nonexistent/one.py", ended.stderr)

    def test_a_file_without_its_task_is_wrong_usage(self):
        self.assertEqual(self.run_agent(BIN / "coder", "one.py").returncode, 2)


class AnyAgent(Agents):
    def test_help_says_what_it_makes_and_how_it_ends(self):
        for name, words in (("planner", "TodoList"), ("architect", "Contract"), ("coder", "files")):
            with self.subTest(name):
                told = self.done(BIN / name, "--help").stdout
                for word in (words, "--conversation", "--model", "Exit codes"):
                    self.assertIn(word, told)
        told = self.done(*PLANNERS["Python"], "--help").stdout
        for word in ("TodoList", "Exit codes"):
            self.assertIn(word, told)

    def test_without_a_daemon_a_person_is_told_what_to_do(self):
        self.environment["REQUESTROUTER_ENDPOINT"] = "ipc:///nonexistent/router.sock"
        for command in ([*PLANNERS["C++"], "Plan"], [*PLANNERS["Python"], "Plan"],
                        [BIN / "coder", "one.py", "print one"]):
            with self.subTest(command[0]):
                ended = self.run_agent(*command)
                self.assertEqual(ended.returncode, 3)
                self.assertIn("start routerd", ended.stderr)

    def test_a_provider_that_refuses_is_told_in_words(self):
        self.sim.control(safety="prompt")
        for name in ("planner", "architect"):
            ended = self.run_agent(BIN / name, "Hello")
            self.assertEqual(ended.returncode, 1)
            self.assertRegex(ended.stderr, rf"{name}: .*safety.* \(content_blocked\)")


if __name__ == "__main__":
    unittest.main()
