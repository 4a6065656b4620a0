"""The Python module against the scripted router (FAKE_ROUTER names its program)."""

import asyncio
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import unittest

import requestrouter
from requestrouter import (
    AllKeysExhaustedError,
    RequestRouter,
    RouterError,
    get_request_router,
    new_conversation_id,
)

NOWHERE = "ipc:///nonexistent/router.sock"


def chat_in_child(router, queue):
    queue.put(router.send_chat("c1", "from a child")["content"])


class WithRouter(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = subprocess.Popen(
            [os.environ["FAKE_ROUTER"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        cls.endpoint = cls.server.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.server.stdin.close()
        cls.server.wait()
        cls.server.stdout.close()

    def setUp(self):
        self.router = RequestRouter(self.endpoint)

    def wait_until_received(self, kind, request_id):
        other = RequestRouter(self.endpoint)
        while request_id not in other.call("received")[kind]:
            pass


class Chats(WithRouter):
    def test_an_answer_is_the_dictionary_that_agents_read(self):
        answer = self.router.send_chat("c1", "Hello")
        self.assertIs(answer["success"], True)
        self.assertEqual(answer["content"], "Hello")
        self.assertEqual(answer["model"], "gemini-2.5-flash")
        self.assertEqual(answer["key_id"], "gemini-flash-01")
        self.assertEqual(answer["tokens"]["total"], 8)
        self.assertEqual(answer["conversation_id"], "c1")
        self.assertIsNone(answer["error"])
        self.assertIsNone(answer["error_type"])

    def test_the_arguments_of_existing_agents_go_to_the_wire(self):
        answer = self.router.send_chat("c1", "Hi", "gemini-2.5-pro", 100, 200, 0.5, "Be brief", "heavy")
        self.assertEqual(
            answer["echo"],
            {
                "conv_id": "c1",
                "prompt": "Hi",
                "model_preference": "gemini-2.5-pro",
                "expected_completion_tokens": 100,
                "max_output_tokens": 200,
                "temperature": 0.5,
                "system_prompt": "Be brief",
                "workload": "heavy",
            },
        )

    def test_what_is_not_given_is_left_to_the_daemon(self):
        self.assertEqual(self.router.send_chat("c1", "Hi")["echo"], {"conv_id": "c1", "prompt": "Hi"})

    def test_the_default_deadline_is_ten_minutes(self):
        deadline = self.router.send_chat("c1", "Hi")["deadline_ms"]
        self.assertGreater(deadline, 590_000)
        self.assertLessEqual(deadline, 600_000)

    def test_labels_and_the_request_id_go_along(self):
        answer = self.router.send_chat(
            "c1", "Hi", user_id="ada", agent="coder", metadata={"task": 7}, request_id="mine"
        )
        self.assertEqual(answer["echo"]["user_id"], "ada")
        self.assertEqual(answer["echo"]["agent"], "coder")
        self.assertEqual(answer["echo"]["metadata"], {"task": 7})
        self.assertEqual(answer["request_id"], "mine")

    def test_an_image_is_bytes_in_both_directions(self):
        messages = [
            {
                "role": "user",
                "content": [{"type": "image", "mime_type": "image/png", "data": b"\x00\xff"}],
            }
        ]
        answer = self.router.send_chat("c1", messages=messages)
        self.assertEqual(answer["echo"]["messages"], messages)
        self.assertNotIn("prompt", answer["echo"])

    def test_a_one_shot_has_no_conversation(self):
        answer = self.router.send_one_shot("Hi", temperature=0.1)
        self.assertEqual(answer["echo"], {"prompt": "Hi", "temperature": 0.1})
        self.assertEqual(answer["conversation_id"], "")

    def test_a_failure_is_told_and_not_raised(self):
        answer = self.router.send_chat("c1", "fail all_keys_exhausted")
        self.assertIs(answer["success"], False)
        self.assertEqual(answer["error"], "as asked")
        self.assertEqual(answer["error_type"], "all_keys_exhausted")
        self.assertEqual(answer["conversation_id"], "c1")
        self.assertEqual(answer["content"], "")
        self.assertEqual(answer["retry_after_ms"], 1500)
        self.assertEqual(answer["tokens"]["total"], 0)

    def test_what_is_not_json_is_a_failure_too(self):
        answer = self.router.send_chat("c1", "Hi", metadata={"file": object()})
        self.assertEqual(answer["error_type"], "invalid_request")

    def test_a_misspelt_argument_is_a_mistake_of_the_program(self):
        with self.assertRaises(TypeError):
            self.router.send_chat("c1", "Hi", modle="x")
        with self.assertRaises(TypeError):
            self.router.asend_chat("c1", "Hi", modle="x")

    def test_an_older_or_newer_daemon_is_told_and_not_raised(self):
        newer = self.router.send_chat("c1", "newer")
        self.assertEqual(newer["error_type"], "unsupported_version")
        self.assertIn("version 2", newer["error"])
        refusing = self.router.send_chat("c1", "fail unsupported_version")
        self.assertEqual(refusing["error_type"], "unsupported_version")

    def test_without_a_daemon_nothing_is_raised(self):
        answer = RequestRouter(NOWHERE, connect_timeout=0.05).send_chat("c1", "Hi")
        self.assertIs(answer["success"], False)
        self.assertEqual(answer["error_type"], "no_daemon")
        self.assertIn("start routerd", answer["error"])

    def test_ctrl_c_ends_the_wait(self):
        def interrupt():
            self.wait_until_received("chats", "interrupted")
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with self.assertRaises(KeyboardInterrupt):
            self.router.send_chat("c1", "hang", request_id="interrupted")
        thread.join()
        self.wait_until_received("cancelled", "interrupted")

    def test_threads_share_a_router(self):
        answers = {}

        def work(number):
            answers[number] = self.router.send_chat("c1", str(number))["content"]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, {number: str(number) for number in range(20)})


class Streams(WithRouter):
    def test_pieces_come_and_then_the_result(self):
        items = list(self.router.send_chat("c1", "Hi", stream=True))
        self.assertEqual([item["delta"] for item in items], ["", "Hel", "lo", ""])
        self.assertEqual(items[0]["progress"]["eta_ms"], 40)
        self.assertEqual([item["final"] for item in items], [False, False, False, True])
        self.assertEqual(items[-1]["content"], "Hello")
        self.assertIs(items[-1]["success"], True)

    def test_a_broken_stream_ends_with_the_failure_and_what_came(self):
        last = list(self.router.send_chat("c1", "break", stream=True))[-1]
        self.assertIs(last["success"], False)
        self.assertEqual(last["content"], "Hello")
        self.assertEqual(last["error_type"], "upstream_unavailable")
        self.assertIs(last["details"]["interrupted"], True)

    def test_leaving_a_stream_early_cancels_it(self):
        stream = self.router.send_chat("c1", "pause", stream=True, request_id="left")
        next(stream)
        stream.close()
        self.wait_until_received("cancelled", "left")

    def test_a_stream_may_be_cancelled_from_elsewhere(self):
        stream = self.router.send_chat("c1", "pause", stream=True, request_id="elsewhere")
        next(stream)
        self.assertIs(self.router.cancel("elsewhere"), True)
        self.assertEqual(list(stream)[-1]["error_type"], "cancelled")

    def test_without_a_daemon_the_stream_is_one_failure(self):
        items = list(RequestRouter(NOWHERE, connect_timeout=0.05).send_chat("c1", "Hi", stream=True))
        self.assertEqual(len(items), 1)
        self.assertEqual(items[0]["error_type"], "no_daemon")


class Asyncio(WithRouter):
    def test_chats_run_side_by_side(self):
        async def all_of_them():
            chats = [self.router.asend_chat("c1", str(number)) for number in range(20)]
            return [answer["content"] for answer in await asyncio.gather(*chats)]

        self.assertEqual(asyncio.run(all_of_them()), [str(number) for number in range(20)])

    def test_positional_arguments_are_those_of_send_chat(self):
        answer = asyncio.run(self.router.asend_chat("c1", "Hi", "gemini-2.5-pro", temperature=0.5))
        self.assertEqual(
            answer["echo"],
            {
                "conv_id": "c1",
                "prompt": "Hi",
                "model_preference": "gemini-2.5-pro",
                "temperature": 0.5,
            },
        )

    def test_a_failure_is_told_and_not_raised(self):
        answer = asyncio.run(self.router.asend_chat("c1", "fail content_blocked"))
        self.assertEqual(answer["error_type"], "content_blocked")

    def test_a_stream_is_iterated(self):
        async def deltas():
            stream = self.router.asend_chat("c1", "Hi", stream=True)
            return [item["delta"] async for item in stream]

        self.assertEqual(asyncio.run(deltas()), ["", "Hel", "lo", ""])

    def test_cancelling_the_task_cancels_the_request(self):
        async def cancel():
            chat = asyncio.ensure_future(
                self.router.asend_chat("c1", "hang", request_id="task")
            )
            await asyncio.sleep(0)  # its turn: it starts
            await self.router.asend_chat("c1", "Hi")  # answered, so the one before it has arrived
            chat.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await chat

        asyncio.run(cancel())
        self.wait_until_received("cancelled", "task")


class Conversations(WithRouter):
    def test_messages_and_metadata(self):
        conversation = self.router.get_conversation("c1", limit=5)
        self.assertEqual(conversation["messages"][0]["content"], "Hi")
        self.assertEqual(conversation["metadata"]["message_count"], 1)

    def test_an_unknown_one_is_empty(self):
        conversation = self.router.get_conversation("unknown")
        self.assertEqual(conversation["messages"], [])
        self.assertEqual(self.router.truncate_conversation("unknown")["removed"], 0)
        self.assertIs(self.router.delete_conversation("unknown"), False)

    def test_truncate_delete_and_list(self):
        self.assertEqual(self.router.truncate_conversation("c1", 4)["removed"], 2)
        self.assertIs(self.router.delete_conversation("c1"), True)
        self.assertEqual(self.router.list_conversations(prefix="c")["conversations"], [])

    def test_without_a_daemon_it_is_not_taken_for_empty(self):
        router = RequestRouter(NOWHERE, connect_timeout=0.05)
        with self.assertRaises(RouterError) as raised:
            router.get_conversation("c1")
        self.assertEqual(raised.exception.error_type, "no_daemon")

    def test_ids_name_the_agent(self):
        self.assertRegex(new_conversation_id("planner"), "^planner_[0-9a-f]{8}$")
        self.assertRegex(new_conversation_id("coder", "ada"), "^coder_ada_[0-9a-f]{8}$")


class Inside(WithRouter):
    def test_health_has_what_dashboards_read(self):
        health = self.router.health_check()
        self.assertIs(health["healthy"], True)
        self.assertEqual(
            health["key_manager"],
            {"healthy": True, "total_keys": 3, "active_keys": 2, "keys_in_cooldown": 1},
        )
        self.assertIs(health["conversation_store"], True)
        self.assertIs(health["redis"], True)
        self.assertEqual(health["timestamp"], "2026-01-01T00:00:00.000Z")

    def test_without_a_daemon_it_is_unhealthy_and_says_why(self):
        health = RequestRouter(NOWHERE, connect_timeout=0.05).health_check()
        self.assertIs(health["healthy"], False)
        self.assertEqual(health["error_type"], "no_daemon")
        self.assertEqual(health["key_manager"]["active_keys"], 0)

    def test_models(self):
        self.assertEqual(self.router.list_models(), [{"model": "gemini-2.5-flash"}])

    def test_any_operation_can_be_called_and_raises_its_error(self):
        with self.assertRaises(RouterError) as raised:
            self.router.call("dance")
        self.assertEqual(raised.exception.error_type, "unknown_op")
        with self.assertRaises(AllKeysExhaustedError) as raised:
            self.router.call("chat", {"prompt": "fail all_keys_exhausted"})
        self.assertEqual(raised.exception.retry_after_ms, 1500)


class Processes(WithRouter):
    def test_children_of_a_fork_use_the_router_too(self):
        self.assertEqual(self.router.send_chat("c1", "parent")["content"], "parent")
        fork = multiprocessing.get_context("fork")
        queue = fork.Queue()
        children = [
            fork.Process(target=chat_in_child, args=(self.router, queue)) for _ in range(4)
        ]
        for child in children:
            child.start()
        self.assertEqual([queue.get(timeout=30) for _ in children], ["from a child"] * 4)
        for child in children:
            child.join()
        self.assertEqual(self.router.send_chat("c1", "again")["content"], "again")


class Module(unittest.TestCase):
    def run_python(self, program, **environment):
        return subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def test_there_is_one_router_whatever_it_is_given(self):
        self.assertIs(get_request_router(), get_request_router(key_manager=1, conv_store=2))

    def test_a_missing_library_is_told_by_the_call_and_not_by_the_import(self):
        program = (
            "import requestrouter as r\n"
            "answer = r.get_request_router().send_chat('c1', 'Hi')\n"
            "print(answer['success'], answer['error'])\n"
        )
        out = self.run_python(program, REQUESTROUTER_LIBRARY="/nonexistent.so")
        self.assertTrue(out.startswith("False cannot load"), out)
        self.assertIn("REQUESTROUTER_LIBRARY", out)

    def test_a_library_of_that_name_that_is_another_is_told_by_the_call(self):
        program = (
            "import requestrouter as r\n"
            "print(r.get_request_router().send_chat('c1', 'Hi')['error'])\n"
        )
        out = self.run_python(program, REQUESTROUTER_LIBRARY="libc.so.6")
        self.assertTrue(out.startswith("cannot load"), out)

    def test_the_environment_counts_at_the_first_call(self):
        program = (
            "import os, requestrouter as r\n"
            "router = r.get_request_router()\n"
            f"os.environ['REQUESTROUTER_ENDPOINT'] = '{NOWHERE}'\n"
            "print(router.health_check()['error'])\n"
        )
        self.assertIn(NOWHERE, self.run_python(program))

    def test_the_version_is_the_librarys(self):
        from requestrouter import _library

        self.assertEqual(_library.load().rr_version().decode(), requestrouter.__version__)


if __name__ == "__main__":
    unittest.main()
