"""The Python module through the real daemon to the simulated provider, as existing agents use it."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
import unittest

from support import EndToEnd, key

import requestrouter
from requestrouter import RequestRouter, RouterError, get_request_router

PRO = "gemini-2.5-pro"


def chat_in_child(router, queue, name):
    queue.put(router.send_chat(None, name)["content"])


class WithDaemon(EndToEnd):
    def setUp(self):
        super().setUp()
        keys = [key("k1", rpm=100), key("k2", model=PRO, rpm=100, tags={"workload": "heavy"})]
        self.running = self.daemon(keys)
        self.router = RequestRouter(self.running.endpoint)


class ExistingAgents(WithDaemon):
    def test_they_run_with_one_import_changed(self):
        # Its own process, because its environment and its singleton are an agent's.
        program = (
            "from requestrouter import get_request_router\n"
            "import os\n"
            "router = get_request_router(key_manager=object(), conv_store=object())\n"
            f"os.environ['REQUESTROUTER_ENDPOINT'] = '{self.running.endpoint}'  # load_dotenv()\n"
            "answer = router.send_chat('planner_1a2b3c4d', 'My name is Ada.', 'gemini-2.5-flash',\n"
            "                          300, 600, 0.2, 'Be brief', 'light')\n"
            "assert answer['success'] and answer['error'] is None, answer\n"
            "answer = router.send_chat(conv_id='planner_1a2b3c4d', prompt='What is my name?',\n"
            "                          workload='medium')\n"
            "print(answer['content'])\n"
            "assert router.health_check()['redis'] is True\n"
        )
        done = subprocess.run([sys.executable, "-W", "error", "-c", program], text=True,
                              capture_output=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "Your name is Ada.\n")

    def test_a_model_that_is_not_configured_is_answered_by_another(self):
        answer = self.router.send_chat("c", "Hello", "gemini-9-ultra")
        self.assertTrue(answer["success"], answer)
        self.assertIs(answer["fallback"], True)

    def test_only_the_safety_filter_makes_them_escalate(self):
        self.sim.control(safety="prompt")
        blocked = self.router.send_chat("c", "Hello")
        self.assertIs(blocked["success"], False)
        self.assertIn("safety", blocked["error"].lower())
        self.assertEqual(blocked["error_type"], "content_blocked")
        self.sim.control(safety=None, faults=[{"kind": "status", "status": 400, "count": 0}])
        rejected = self.router.send_chat("c", "Hello", PRO)
        self.assertIs(rejected["success"], False)
        self.assertNotIn("safety", rejected["error"].lower())

    def test_conversations_and_health_are_the_dictionaries_they_read(self):
        self.router.send_chat("c", "One")
        self.router.send_chat("c", "Two")
        self.assertEqual(len(self.router.get_conversation("c")["messages"]), 4)
        self.assertEqual(self.router.truncate_conversation("c", keep_last_n=2)["removed"], 2)
        unknown = self.router.get_conversation("never seen")
        self.assertEqual((unknown["messages"], unknown["metadata"]), ([], {}))
        health = self.router.health_check()
        self.assertIs(health["healthy"], True)
        self.assertEqual(health["key_manager"], {"healthy": True, "active_keys": 2,
                                                 "total_keys": 2, "keys_in_cooldown": 0})
        self.assertIs(health["conversation_store"], True)
        self.assertIs(health["redis"], True)
        self.assertRegex(health["timestamp"], r"^\d{4}-\d\d-\d\dT.*Z$")


class Forms(WithDaemon):
    def test_threads_share_a_router(self):
        answers = {}

        def work(number):
            answers[number] = self.router.send_chat(None, f"n{number}")["content"]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for number in range(20):
            self.assertIn(f"n{number};", answers[number])

    def test_asyncio_awaits_side_by_side_and_iterates_streams(self):
        async def chats():
            answers = await asyncio.gather(
                *(self.router.asend_chat(None, f"n{number}") for number in range(20)))
            stream = self.router.asend_chat(None, "Hello there", stream=True)
            return answers, [item async for item in stream]

        answers, items = asyncio.run(chats())
        for number, answer in enumerate(answers):
            self.assertIn(f"n{number};", answer["content"])
        self.assertGreater(len(items), 1)
        self.assertEqual("".join(item["delta"] for item in items), items[-1]["content"])

    def test_children_of_a_fork_use_the_router_of_their_parent(self):
        self.router.send_chat(None, "parent")
        fork = multiprocessing.get_context("fork")
        queue = fork.Queue()
        children = [fork.Process(target=chat_in_child, args=(self.router, queue, f"child{n}"))
                    for n in range(4)]
        for child in children:
            child.start()
        said = sorted(queue.get(timeout=30) for _ in children)
        for child in children:
            child.join()
        self.assertEqual([f"child{n};" in text for n, text in enumerate(said)], [True] * 4)
        self.assertTrue(self.router.send_chat(None, "parent again")["success"])

    def test_a_stream_yields_pieces_and_then_the_answer(self):
        items = list(self.router.send_chat("c", "Hello there", stream=True))
        self.assertGreater(len(items), 2)
        self.assertEqual("".join(item["delta"] for item in items[:-1]), items[-1]["content"])
        self.assertIs(items[-1]["success"], True)

    def test_a_stream_that_is_left_is_cancelled_at_the_provider(self):
        self.sim.control(stream_delta_ms=60_000, stream_deltas=4)
        for leave in ("abandoned", "raised in"):
            with self.subTest(leave):
                before = self.left()
                if leave == "abandoned":
                    stream = self.router.send_chat(None, leave, stream=True)
                    next(stream)
                    del stream
                else:
                    with self.assertRaises(ZeroDivisionError):
                        for _ in self.router.send_chat(None, leave, stream=True):
                            1 / 0
                while self.left() == before:
                    self.router.health_check()

    def left(self):
        return sum(one["client_left"] for one in self.sim.stats()["keys"])

    def test_a_deadline_and_a_cancellation_are_told(self):
        self.sim.control(latency_ms=60_000)
        late = self.router.send_chat(None, "Hello", timeout=0.3)
        self.assertEqual(late["error_type"], "deadline_exceeded")

        def cancel():
            while not self.router.cancel("long"):
                pass

        thread = threading.Thread(target=cancel)
        thread.start()
        ended = self.router.send_chat(None, "Hello", request_id="long")
        thread.join()
        self.assertEqual(ended["error_type"], "cancelled")


class Restarts(WithDaemon):
    def test_a_kill_under_calls_in_flight_is_not_noticed(self):
        self.sim.control(latency_ms=600_000)
        answers = {}

        def work(number):
            answers[number] = self.router.send_chat(None, f"n{number}")

        threads = [threading.Thread(target=work, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        while self.sim.requests() < 50:
            self.router.health_check()
        self.running.kill()
        self.sim.control(latency_ms=0)
        self.running.start()
        for thread in threads:
            thread.join()
        for number in range(50):
            self.assertTrue(answers[number]["success"], answers[number])
            self.assertIn(f"n{number};", answers[number]["content"])

    def test_a_begun_stream_ends_interrupted_with_what_came(self):
        self.sim.control(stream_delta_ms=600_000, stream_deltas=4)
        stream = self.router.send_chat(None, "Hello", stream=True)
        first = next(item for item in stream if item["delta"])
        self.running.kill()
        last = list(stream)[-1]
        self.assertEqual(last["error_type"], "upstream_unavailable")
        self.assertIs(last["details"]["interrupted"], True)
        self.assertEqual(last["content"], first["delta"])


class BadUse(WithDaemon):
    def test_what_cannot_be_asked_is_told_and_not_raised(self):
        odd = {"a NUL in the id": {"request_id": "a\0b"}, "half a character": {"request_id": "\ud800"},
               "no number": {"timeout": "soon"}, "for ever": {"timeout": float("inf")},
               "not a day": {"timeout": 1e30}, "too long an id": {"request_id": "x" * 129},
               "no such workload": {"workload": "enormous"}, "too large": {"top_p": 7}}
        for name, options in odd.items():
            with self.subTest(name):
                answer = self.router.send_chat("c", "Hello", **options)
                self.assertIs(answer["success"], False)
                self.assertEqual(answer["error_type"], "invalid_request", answer)
                self.assertEqual(asyncio.run(self.router.asend_chat("c", "Hello", **options))
                                 ["error_type"], "invalid_request")

    def test_an_oversize_prompt(self):
        answer = self.router.send_chat("c", "x" * (17 << 20))
        self.assertEqual(answer["error_type"], "payload_too_large")

    def test_no_permission(self):
        if os.geteuid() != 0:
            self.skipTest("only root can become another user")
        os.chmod(self.folder.name, 0o700)
        program = ("import os, requestrouter as r\n"
                   f"router = r.RequestRouter('{self.running.endpoint}', 0.05)\n"
                   "r._library.load()\n"
                   "os.setuid(65534)\n"
                   "print(router.send_chat('c', 'Hello')['error_type'])\n")
        done = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True,
                              timeout=60, check=False)
        self.assertEqual(done.stdout, "permission_denied\n", done.stderr)

    def test_a_router_that_goes_while_its_stream_runs_leaves_the_stream_whole(self):
        router = RequestRouter(self.running.endpoint)
        stream = router.send_chat(None, "Hello", stream=True)
        next(stream)
        del router
        self.assertIs(list(stream)[-1]["success"], True)

    def test_the_singleton_does_nothing_until_it_is_used(self):
        self.assertIs(get_request_router(), get_request_router("keys", "conversations"))

    def test_questions_about_conversations_raise_what_went_wrong(self):
        with self.assertRaises(RouterError) as raised:
            self.router.get_conversation("")
        self.assertEqual(raised.exception.error_type, "invalid_request")
        self.assertTrue(issubclass(requestrouter.AllKeysExhaustedError, RouterError))


if __name__ == "__main__":
    unittest.main()
