"""Direct mode against the provider simulator, in all three dialects; there is no daemon."""

import asyncio
import json
import os
import pathlib
import subprocess
import unittest
import urllib.request

from requestrouter import RequestRouter, RouterError, get_request_router

BIN = pathlib.Path(os.environ["REQUESTROUTER_BIN"])
MODELS = {"gemini": "gemini-2.5-flash", "openai": "gpt-5-mini", "anthropic": "claude-sonnet-4-5"}


class WithSimulator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.simulator = subprocess.Popen(
            [BIN / "provider_sim", "--port", "0", "--key", "secret:rpm=1000,tpm=1000000"],
            stdout=subprocess.PIPE, text=True)
        cls.url = url = cls.simulator.stdout.readline().split()[-1]
        os.environ.update(
            ROUTERD_GEMINI_BASE_URL=url, ROUTERD_OPENAI_BASE_URL=url + "/v1",
            ROUTERD_ANTHROPIC_BASE_URL=url, LLM_MULTI_KEY_ROUTER_ENABLED="false")

    @classmethod
    def tearDownClass(cls):
        cls.simulator.terminate()
        cls.simulator.wait()
        cls.simulator.stdout.close()

    def setUp(self):
        self.router = RequestRouter("ipc:///nonexistent/router.sock", api_key="secret")

    def control(self, **settings):
        data = json.dumps(settings).encode()
        urllib.request.urlopen(self.url + "/_sim/control", data=data, timeout=20).read()


class DirectMode(WithSimulator):
    def test_each_provider_answers_with_the_routers_fields(self):
        for provider, model in MODELS.items():
            with self.subTest(provider):
                answer = self.router.send_chat("c-" + provider, "Hello", model)
                self.assertTrue(answer["success"], answer)
                self.assertTrue(answer["content"])
                self.assertEqual(answer["provider"], provider)
                self.assertEqual(answer["model"], model)
                self.assertEqual(answer["key_id"], "direct")
                self.assertIs(answer["persisted"], False)
                self.assertEqual(answer["conversation_id"], "c-" + provider)
                self.assertGreater(answer["tokens"]["total"], 0)

    def test_a_conversation_is_kept_in_memory(self):
        self.router.send_chat("kept", "One", system_prompt="Be brief")
        self.router.send_chat("kept", "Two")
        kept = self.router.get_conversation("kept")
        self.assertEqual([m["role"] for m in kept["messages"]], ["user", "assistant"] * 2)
        self.assertEqual(kept["system_prompt"], "Be brief")
        self.assertEqual(self.router.truncate_conversation("kept", 2)["removed"], 2)
        self.assertTrue(self.router.delete_conversation("kept"))
        self.assertEqual(self.router.get_conversation("kept")["messages"], [])

    def test_a_stream_yields_pieces_and_then_the_answer(self):
        for model in MODELS.values():
            with self.subTest(model):
                items = list(self.router.send_chat(None, "Hello there", model, stream=True))
                self.assertGreater(len(items), 1)
                self.assertEqual("".join(i["delta"] for i in items[:-1]), items[-1]["content"])

    def test_it_is_healthy_where_it_has_a_key(self):
        health = self.router.health_check()
        self.assertIs(health["healthy"], True)
        self.assertEqual(health["key_manager"]["active_keys"], 1)
        self.assertIs(get_request_router().health_check()["healthy"], False)

    def test_asyncio_awaits_it(self):
        answer = asyncio.run(self.router.asend_chat("a", "Hello"))
        self.assertTrue(answer["success"], answer)

    def test_a_refused_key_is_told_and_not_raised(self):
        for model in MODELS.values():
            with self.subTest(model):
                router = RequestRouter(api_key="wrong")
                answer = router.send_chat("c", "Hello", model)
                self.assertIs(answer["success"], False)
                self.assertEqual(answer["error_type"], "upstream_auth")
                self.assertNotIn("wrong", answer["error"])

    def test_failures_have_the_types_that_the_daemon_gives_them(self):
        expected = {"no_credit": "upstream_auth", "rate_limit": "all_keys_exhausted",
                    "status": "upstream_unavailable"}
        for model in MODELS.values():
            for kind, error_type in expected.items():
                with self.subTest(model=model, kind=kind):
                    self.control(faults=[{"kind": kind, "times": 1}])
                    answer = self.router.send_chat(None, "Hello", model)
                    self.assertEqual(answer.get("error_type"), error_type, answer)
                    self.assertNotIn("safety", answer["error"])

    def test_what_the_safety_filter_refuses_says_so(self):
        self.control(safety="prompt")
        self.addCleanup(self.control, safety=None)
        answer = self.router.send_chat(None, "Hello", MODELS["gemini"])
        self.assertEqual(answer["error_type"], "content_blocked", answer)
        self.assertIn("safety", answer["error"])

    def test_without_a_key_the_error_names_the_variable(self):
        answer = get_request_router().send_chat("c", "Hello", "claude-x")
        self.assertEqual(answer["error_type"], "upstream_auth")
        self.assertIn("ANTHROPIC_API_KEY", answer["error"])

    def test_the_flag_is_read_at_each_call(self):
        os.environ["LLM_MULTI_KEY_ROUTER_ENABLED"] = "true"
        self.addCleanup(os.environ.__setitem__, "LLM_MULTI_KEY_ROUTER_ENABLED", "false")
        router = RequestRouter("ipc:///nonexistent/router.sock", 0.05, api_key="secret")
        self.assertEqual(router.send_chat("c", "Hello")["error_type"], "no_daemon")
        os.environ["LLM_MULTI_KEY_ROUTER_ENABLED"] = "False"
        self.assertTrue(router.send_chat("c", "Hello")["success"])

    def test_the_flag_counts_when_it_is_set_after_the_router_was_made(self):
        os.environ.pop("LLM_MULTI_KEY_ROUTER_ENABLED")
        self.addCleanup(os.environ.__setitem__, "LLM_MULTI_KEY_ROUTER_ENABLED", "false")
        router = RequestRouter("ipc:///nonexistent/router.sock", 0.05, api_key="secret")
        for word, success in (("0", True), ("no", True), ("OFF", True), ("1", False), ("", False)):
            with self.subTest(word):
                os.environ["LLM_MULTI_KEY_ROUTER_ENABLED"] = word
                self.assertIs(router.send_chat("c", "Hello")["success"], success)


class WithoutADaemon(WithSimulator):
    """The router is not switched off, but nothing answers."""

    def setUp(self):
        super().setUp()
        os.environ["LLM_MULTI_KEY_ROUTER_ENABLED"] = "true"
        self.addCleanup(os.environ.__setitem__, "LLM_MULTI_KEY_ROUTER_ENABLED", "false")
        self.router = self.router_that(allow_direct=True)

    @staticmethod
    def router_that(**options):
        return RequestRouter("ipc:///nonexistent/router.sock", 0.05, api_key="secret", **options)

    def assert_direct(self, answer):
        self.assertTrue(answer["success"], answer)
        self.assertEqual(answer["key_id"], "direct")
        self.assertIs(answer["persisted"], False)
        self.assertIn("no daemon answered", answer["warnings"][-1])

    def test_a_chat_goes_to_the_provider_and_says_so(self):
        self.assert_direct(self.router.send_chat("c", "Hello"))

    def test_so_do_streams_and_awaited_ones(self):
        items = list(self.router.send_chat("s", "Hello there", stream=True))
        self.assert_direct(items[-1])
        self.assertEqual("".join(item["delta"] for item in items[:-1]), items[-1]["content"])

        async def both():
            stream = self.router.asend_chat("a", "Hello", stream=True)
            return [item async for item in stream][-1], await self.router.asend_chat("a", "Hello")

        for answer in asyncio.run(both()):
            self.assert_direct(answer)

    def test_without_permission_it_fails(self):
        for router in (self.router_that(), self.router_that(allow_direct=False)):
            self.assertEqual(router.send_chat("c", "Hello")["error_type"], "no_daemon")

    def test_the_environment_may_give_permission_at_any_time(self):
        router = self.router_that()
        self.addCleanup(os.environ.pop, "REQUESTROUTER_ALLOW_DIRECT", None)
        os.environ["REQUESTROUTER_ALLOW_DIRECT"] = "true"
        self.assert_direct(router.send_chat("c", "Hello"))
        os.environ["REQUESTROUTER_ALLOW_DIRECT"] = "false"
        self.assertEqual(router.send_chat("c", "Hello")["error_type"], "no_daemon")

    def test_what_must_not_be_sent_twice_is_not(self):
        answer = self.router.send_chat("c", "Hello", on_unknown="fail")
        self.assertEqual(answer["error_type"], "no_daemon")

    def test_questions_about_the_daemon_are_not_answered_by_anything_else(self):
        self.assertEqual(self.router.health_check()["error_type"], "no_daemon")
        with self.assertRaises(RouterError):
            self.router.get_conversation("c")


if __name__ == "__main__":
    unittest.main()
