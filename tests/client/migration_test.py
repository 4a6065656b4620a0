"""What the migration guide says is done here: its programs run, and differ where it says so."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest

from support import EndToEnd

SOURCE = pathlib.Path(__file__).resolve().parents[2]
GUIDE = (SOURCE / "client_lib/MIGRATION.md").read_text(encoding="utf-8")
BEFORE, AFTER, FALLBACK = re.findall(r"^```python\n(.*?)^```", GUIDE, re.M | re.S)
(CPP,) = re.findall(r"^```cpp\n(.*?)^```", GUIDE, re.M | re.S)

# The agent's own modules, and the in-process router that it had.
MY_AGENT = """
import os, pathlib
key_manager = conv_store = object()
def load_dotenv():
    for line in pathlib.Path(__file__).with_name("agent.env").read_text().splitlines():
        name, value = line.split("=", 1)
        os.environ[name] = value
"""
LLM_ROUTER = """
class Old:
    def send_chat(self, conv_id, prompt, **arguments):
        return {"success": True, "content": "old: " + prompt, "error": None}
def get_request_router(key_manager, conv_store):
    return Old()
"""


class Migration(EndToEnd):
    def setUp(self):
        super().setUp()
        self.agent = tempfile.TemporaryDirectory(prefix="rr-agent-")
        self.addCleanup(self.agent.cleanup)
        self.write("my_agent.py", MY_AGENT)
        self.write("llm_router.py", LLM_ROUTER)

    def write(self, name, text):
        (pathlib.Path(self.agent.name) / name).write_text(textwrap.dedent(text))

    def run_agent(self, program, dotenv="", **environment):
        """What it prints; `dotenv` is loaded by the agent itself, after the import."""
        self.write("agent.env", dotenv)
        path = os.pathsep.join([self.agent.name, os.environ["PYTHONPATH"]])
        environment = {**os.environ, "PYTHONPATH": path, "ROUTERD_GEMINI_BASE_URL": self.sim.url,
                       "REQUESTROUTER_ENDPOINT": f"ipc://{self.folder.name}/nobody.sock",
                       **environment}
        done = subprocess.run([sys.executable, "-B", "-W", "error", "-c", program], text=True,
                              capture_output=True, env=environment, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_the_import_is_the_whole_difference(self):
        differing = [pair for pair in zip(BEFORE.splitlines(), AFTER.splitlines())
                     if pair[0] != pair[1]]
        self.assertEqual(len(BEFORE.splitlines()), len(AFTER.splitlines()))
        self.assertEqual(differing, [("from llm_router import get_request_router",
                                      "from requestrouter import get_request_router")])
        self.assertEqual(self.run_agent(BEFORE)[0], "old: My name is Ada.")

    def test_the_agent_then_asks_the_router(self):
        daemon = self.daemon()
        said = self.run_agent(AFTER, f"REQUESTROUTER_ENDPOINT={daemon.endpoint}")
        self.assertEqual(said[1], "Your name is Ada.")
        kept = self.client(daemon).ask("conversation.get", {"conv_id": "planner_1a2b3c4d"})
        self.assertEqual(len(kept["body"]["messages"]), 4)

    def test_a_safety_refusal_escalates_to_the_bigger_model(self):
        daemon = self.daemon()
        self.sim.control(safety="prompt")
        said = self.run_agent(AFTER, f"REQUESTROUTER_ENDPOINT={daemon.endpoint}")
        self.assertIn("could not be answered", said[0])
        self.assertEqual(self.sim.requests(), 4)

    def test_the_flag_in_the_agents_own_env_file_is_the_rollback(self):
        said = self.run_agent(AFTER, "LLM_MULTI_KEY_ROUTER_ENABLED=false\nGEMINI_API_KEY=s1")
        self.assertEqual(said[1], "Your name is Ada.")

    def test_permission_to_go_on_without_a_daemon(self):
        program = FALLBACK.replace("an-api-key", "s1")
        self.assertNotEqual(program, FALLBACK)
        self.assertRegex(self.run_agent(program)[0], "^direct .*no daemon answered")
        refused = program.replace(", allow_direct=True", "").replace('answer["warnings"]',
                                                                     'answer["error_type"]')
        self.assertEqual(self.run_agent(refused), [" no_daemon"])

    def test_the_program_in_cpp_falls_back_too(self):
        self.write("main.cc", CPP)
        build = pathlib.Path(os.environ["REQUESTROUTER_BUILD"]) / "lib"
        program = pathlib.Path(self.agent.name) / "main"
        subprocess.run(["g++", "-std=c++20", "-Wall", "-Werror", f"-I{SOURCE}/client_lib/include",
                        program.with_suffix(".cc"), "-o", program, f"-L{build}",
                        f"-Wl,-rpath,{build}", "-lrequestrouter_direct", "-lrequestrouter"],
                       check=True)
        environment = {**os.environ, "ROUTERD_GEMINI_BASE_URL": self.sim.url,
                       "GEMINI_API_KEY": "s1",
                       "REQUESTROUTER_ENDPOINT": f"ipc://{self.folder.name}/nobody.sock"}
        said = subprocess.run([program], env=environment, text=True, capture_output=True,
                              timeout=60, check=True)
        self.assertEqual(said.stdout, "You said: Hello; this is turn 1.\n")

    def test_the_commands_of_the_steps_exist(self):
        commands = re.findall(r"^       (routerd|routerctl) (.*)$", GUIDE, re.M)
        self.assertEqual(len(commands), 2)
        daemon = self.daemon()
        self.assertEqual(daemon.run("--check-config").returncode, 0)
        for arguments in (["health"], ["queue"], ["usage", "--by", "agent"]):
            self.assertEqual(daemon.ctl(*arguments).returncode, 0)


if __name__ == "__main__":
    unittest.main()
