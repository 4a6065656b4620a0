"""Trouble with the database, and requests that are repeated, seen from outside."""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import time
import unittest

import zmq

from support import EndToEnd, key

PAGE = 4096


class StorageCase(EndToEnd):
    @property
    def state(self):
        return pathlib.Path(self.folder.name) / "state"

    def healthy(self, client):
        return client.ask("health")["body"]["conversation_store"]

    def contents(self, client, conv_id="talk"):
        reply = client.ask("conversation.get", {"conv_id": conv_id})
        return [message["content"] for message in reply["body"]["messages"]] if reply["ok"] else []

    def stored_bytes(self):
        return b"".join(path.read_bytes() for path in self.state.iterdir() if path.is_file())


class SmallDisk(StorageCase):
    """The state directory on a disk of 8 MiB, which only root can have."""

    def setUp(self):
        super().setUp()
        self.state.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", self.state],
                                 capture_output=True, check=False)
        if mounted.returncode != 0:
            self.skipTest("mounting is not allowed here")
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=True)

    def fill(self):
        with contextlib.suppress(OSError), open(self.state / "filler", "ab", 0) as filler:
            for size in (65536, PAGE, 1):
                with contextlib.suppress(OSError):
                    while True:
                        filler.write(b"x" * size)

    def free(self):
        (self.state / "filler").unlink()

    def test_a_full_disk_refuses_turns_before_they_cost_anything_and_is_over_when_there_is_space(self):
        client = self.client(self.daemon())
        self.assertTrue(client.chat("one", conv_id="talk")["body"]["persisted"])
        self.fill()
        error = self.assert_error(client.chat("two", conv_id="talk"), "storage_unavailable")
        self.assertTrue(error["retryable"])
        self.assertIn("space", error["message"])
        self.assertEqual(self.sim.requests(), 1)
        self.assertFalse(self.healthy(client))
        for replayed in (False, True):
            one_shot = client.chat("a one-shot needs no disk", id="one-shot")["body"]
            self.assertEqual(one_shot["replayed"], replayed)
        self.assertEqual(len(self.contents(client)), 2)
        self.free()
        self.until(lambda: self.healthy(client), "storage works again")
        self.assertTrue(client.chat("three", conv_id="talk")["body"]["persisted"])
        self.assertEqual(self.contents(client)[::2], ["one", "three"])
        row = client.ask("usage")["body"]["rows"][0]
        self.assertEqual((row["requests"], row["errors"]), (4, 1))

    def test_an_answer_under_way_when_the_disk_fills_is_given_and_written_later(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.chat("one", conv_id="talk")
        # More than the room that an emptied log keeps.
        self.sim.control(latency_ms=500, answer_bytes=500_000)
        client.send("chat", {"prompt": "two", "conv_id": "talk"}, id="under-way")
        self.until(lambda: self.sim.requests() == 2, "the second call")
        self.fill()
        body = client.receive()["body"]
        self.assertTrue(body["content"])
        self.assertFalse(body["persisted"])
        self.assertIn("not stored yet", " ".join(body["warnings"]))
        self.assertEqual(len(self.contents(client)), 2)
        self.free()
        self.until(lambda: len(self.contents(client)) == 4, "both turns are stored")
        daemon.kill()
        client = self.client(daemon.start())
        self.assertEqual(self.contents(client)[2:], ["two", body["content"]])
        again = client.chat("two", conv_id="talk", id="under-way")["body"]
        self.assertTrue(again["replayed"])
        self.assertEqual(self.sim.requests(), 2)


class Trouble(StorageCase):
    def test_files_deleted_under_the_daemon_are_written_again(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.chat("one", conv_id="talk")
        for path in self.state.glob("requestrouter.db*"):
            path.unlink()
        self.assertTrue(client.chat("two", conv_id="talk")["body"]["persisted"])
        daemon.kill()
        self.assertEqual(self.contents(self.client(daemon.start()))[::2], ["one", "two"])

    def test_damage_found_after_an_unclean_stop_makes_the_daemon_unhealthy_not_dead(self):
        daemon = self.daemon()
        client = self.client(daemon)
        for i in range(30):
            client.chat(f"{i} " + "x" * 1000, conv_id="talk")
        daemon.stop()
        client = self.client(daemon.start())
        client.chat("small", conv_id="other")
        daemon.kill()
        path = self.state / "requestrouter.db"
        content = bytearray(path.read_bytes())
        page = content.find(b"x" * 1000) // PAGE * PAGE
        content[page:page + PAGE] = b"\x5a" * PAGE
        path.write_bytes(content)
        client = self.client(daemon.start())
        self.until(lambda: not self.healthy(client), "storage fails")
        daemon.wait_for_log("the database is damaged")
        self.assert_error(client.chat("more", conv_id="talk"), "storage_unavailable")
        self.assertTrue(client.chat("hello")["ok"])
        checked = daemon.ctl("check")
        self.assertEqual(checked.returncode, 1)
        self.assertIn("damaged: ", checked.stdout)

    def test_a_second_daemon_on_the_same_directory_is_refused(self):
        daemon = self.daemon()
        refused = daemon.run("--endpoint", f"ipc://{self.folder.name}/second.sock")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("another routerd uses", refused.stderr)

    def test_a_database_of_a_later_version_is_refused_and_left_as_it_is(self):
        daemon = self.daemon()
        daemon.stop()
        with sqlite3.connect(self.state / "requestrouter.db") as database:
            database.execute("PRAGMA user_version = 77")
        database.close()
        before = (self.state / "requestrouter.db").read_bytes()
        refused = daemon.run()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("later version", refused.stderr)
        self.assertEqual((self.state / "requestrouter.db").read_bytes(), before)

    def test_what_was_deleted_is_in_no_file(self):
        client = self.client(self.daemon())
        client.chat("the private word is xylophone", conv_id="talk")
        client.chat("hello", conv_id="other")
        self.assertIn(b"xylophone", self.stored_bytes())
        self.assertTrue(client.ask("conversation.delete", {"conv_id": "talk"})["body"]["deleted"])
        self.until(lambda: b"xylophone" not in self.stored_bytes(), "the text is gone")
        self.assertEqual(self.contents(client, "other")[0], "hello")

    def test_every_file_is_for_its_owner_alone(self):
        client = self.client(self.daemon())
        client.chat("hello", conv_id="talk")
        backup = self.folder.name + "/backup.db"
        client.ask("backup", {"path": backup})
        for path in [*self.state.iterdir(), backup]:
            self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


class Backup(StorageCase):
    def test_a_backup_under_load_is_restored_by_routerctl(self):
        daemon = self.daemon()
        client = self.client(daemon, kind=zmq.DEALER)
        for i in range(20):
            client.send("chat", {"prompt": f"{i}", "conv_id": "talk"}, id=f"r{i}")
        for _ in range(10):
            client.receive()
        path = self.folder.name + "/backup.db"
        made = daemon.ctl("backup", path)
        self.assertEqual(made.returncode, 0, made.stderr)
        for _ in range(10):
            client.receive()
        asker = self.client(daemon)
        self.assertEqual(self.contents(asker)[::2], [str(i) for i in range(20)])
        with sqlite3.connect(path) as copy:
            [[turns]] = copy.execute("SELECT count(*) / 2 FROM messages")
        copy.close()
        self.assertGreaterEqual(turns, 10)
        restored = daemon.ctl("restore", path)
        self.assertEqual(restored.returncode, 0, restored.stderr)
        self.assertIn("1 conversations", restored.stdout)
        self.assertEqual(self.contents(asker)[::2], [str(i) for i in range(turns)])
        self.assertEqual(asker.ask("usage")["body"]["rows"][0]["requests"], turns)
        self.assertTrue(asker.chat("next", conv_id="talk")["body"]["persisted"])
        checked = daemon.ctl("check")
        self.assertEqual((checked.returncode, checked.stdout), (0, "the database is whole\n"))

    def test_what_is_no_backup_is_refused_and_nothing_changes(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.chat("hello", conv_id="talk")
        before = self.contents(client)
        for name, content in (("text", "no backup"), ("none", None)):
            path = pathlib.Path(self.folder.name) / name
            if content is not None:
                path.write_text(content, encoding="utf-8")
            refused = daemon.ctl("restore", path)
            self.assertEqual(refused.returncode, 1)
            self.assertIn(name, refused.stderr)
        self.assertEqual(self.contents(client), before)
        self.assertTrue(self.healthy(client))


class Repetition(StorageCase):
    def test_a_joiner_of_a_stream_gets_what_was_streamed_so_far_and_then_the_rest(self):
        self.sim.control(stream_delta_ms=30, stream_deltas=12)
        daemon = self.daemon()
        first = self.client(daemon, kind=zmq.DEALER)
        second = self.client(daemon, kind=zmq.DEALER)
        body = {"prompt": "tell me a story", "stream": True, "conv_id": "talk"}
        first.send("chat", body, id="story")
        begun = [first.receive() for _ in range(3)]
        second.send("chat", body, id="story", deadline_ms=60_000)
        for client, replies in ((first, begun), (second, [])):
            while not replies or not replies[-1]["final"]:
                replies.append(client.receive())
            deltas = [reply["body"] for reply in replies[:-1]]
            self.assertEqual([delta["seq"] for delta in deltas], list(range(len(deltas))))
            self.assertEqual("".join(delta["delta"].get("text", "") for delta in deltas),
                             replies[-1]["body"]["content"])
            self.assertTrue(replies[-1]["body"]["persisted"])
        self.assertEqual(self.sim.requests(), 1)
        self.assertEqual(len(self.contents(self.client(daemon))), 2)

    def test_the_same_request_twice_under_way_is_one_call(self):
        self.sim.control(latency_ms=300)
        daemon = self.daemon()
        clients = [self.client(daemon) for _ in range(3)]
        for client in clients:
            client.send("chat", {"prompt": "hello", "conv_id": "talk"}, id="same")
        answers = [client.receive()["body"] for client in clients]
        self.assertEqual(len({answer["content"] for answer in answers}), 1)
        self.assertEqual(self.sim.requests(), 1)
        self.assertEqual(len(self.contents(clients[0])), 2)

    def test_afterwards_the_stored_answer_is_given_and_another_body_is_a_conflict(self):
        daemon = self.daemon()
        client = self.client(daemon)
        body = {"prompt": "hello", "conv_id": "talk", "temperature": 0.5}
        first = client.ask("chat", body, id="same")["body"]
        again = client.ask("chat", dict(reversed(body.items())), id="same", deadline_ms=9_999)["body"]
        self.assertEqual((first["replayed"], again["replayed"]), (False, True))
        self.assertEqual({**again, "replayed": False}, first)
        self.assert_error(client.ask("chat", {**body, "prompt": "other"}, id="same"),
                          "request_id_conflict")
        daemon.kill()
        client = self.client(daemon.start())
        self.assertEqual(client.ask("chat", body, id="same")["body"], again)
        self.assert_error(client.ask("chat", {**body, "temperature": 1}, id="same"),
                          "request_id_conflict")
        self.assertEqual(self.sim.requests(), 1)

    def test_an_error_of_the_provider_is_kept_too_and_what_may_be_retried_is_not(self):
        client = self.client(self.daemon())
        self.sim.control(safety="prompt")
        self.assert_error(client.chat("bad", id="blocked"), "content_blocked")
        self.sim.control(safety=None)
        error = self.assert_error(client.chat("bad", id="blocked"), "content_blocked")
        self.assertTrue(error["details"]["replayed"])
        self.assertEqual(self.sim.requests(), 1)

    def test_results_are_bounded_in_number_and_time(self):
        client = self.client(self.daemon(config={"max_results": 3, "result_ttl_seconds": 1}))
        for i in range(5):
            client.chat("hello", id=f"r{i}")
        client.ask("usage")  # answered once all of them are recorded
        self.assertFalse(client.chat("hello", id="r0")["body"]["replayed"])
        self.assertTrue(client.chat("hello", id="r4")["body"]["replayed"])
        self.until(lambda: not client.chat("hello", id="r4")["body"]["replayed"],
                   "the answer is forgotten")

    def test_an_unknown_outcome_stays_unknown_until_it_is_known(self):
        daemon = self.daemon()
        self.sim.control(latency_ms=60_000)
        client = self.client(daemon)
        client.send("chat", {"prompt": "hello", "on_unknown": "fail"}, id="once")
        self.until(lambda: self.sim.requests() == 1, "the call")
        for _ in range(2):  # it is not forgotten by a second crash
            daemon.kill()
            client = self.client(daemon.start())
            error = self.assert_error(client.chat("hello", on_unknown="fail", id="once"),
                                      "upstream_unavailable")
            self.assertEqual(error["details"]["outcome"], "unknown")
        self.assertIn('unknown outcome: request "once"', daemon.log_text())
        [k1, k2] = client.ask("keys.list")["body"]["keys"]
        used = [k["usage"]["gemini-2.5-flash"]["rpm"]["used"] for k in (k1, k2)]
        self.assertEqual(sum(used), 1, "its reservation counts once")
        self.assertEqual(self.sim.requests(), 1)


class Reports(StorageCase):
    PRICES = {"gemini-2.5-flash": {"input_usd_per_mtok": 0.3, "output_usd_per_mtok": 2.5}}

    def priced(self):
        daemon = self.daemon(start=False)
        config = json.loads(daemon.config.read_text())
        daemon.config.write_text(json.dumps({**config, "models": self.PRICES}))
        return daemon.start()

    def test_usage_is_grouped_by_anything_and_costs_what_the_answers_said(self):
        daemon = self.priced()
        client = self.client(daemon)
        answers = [client.chat("hello", agent=agent, user_id=user)["body"]
                   for agent, user in (("coder", "ada"), ("planner", "ada"), ("coder", "bob"))]
        cost = sum(answer["cost_usd"] for answer in answers)
        self.assertGreater(cost, 0)
        client.ask("usage")  # counts what was answered before it, which is then on the disk
        daemon.kill()
        client = self.client(daemon.start())
        [total] = client.ask("usage")["body"]["rows"]
        self.assertEqual(total["requests"], 3)
        self.assertAlmostEqual(total["cost_usd"], cost, places=8)
        self.assertEqual(total["output_tokens"], sum(a["tokens"]["output"] for a in answers))
        expected = {"key": {a["key_id"] for a in answers}, "model": {"gemini-2.5-flash"},
                    "caller": {f"uid {os.getuid()}"}, "agent": {"coder", "planner"},
                    "user": {"ada", "bob"}}
        for group, values in expected.items():
            rows = client.ask("usage", {"by": [group]})["body"]["rows"]
            self.assertEqual({row[group] for row in rows}, values)
            self.assertAlmostEqual(sum(row["cost_usd"] for row in rows), cost, places=8)
        now = time.strftime("%Y-%m-%dT%H", time.gmtime())
        rows = client.ask("usage", {"by": ["hour", "day"]})["body"]["rows"]
        self.assertIn(rows[-1]["hour"][:13], now)
        self.assertEqual(rows[-1]["day"], now[:10])
        shown = daemon.ctl("usage", "--by", "agent,day", "--since", "1h")
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("planner", shown.stdout)

    def test_an_export_is_lines_of_json_one_a_conversation(self):
        daemon = self.daemon()
        client = self.client(daemon, kind=zmq.DEALER)
        for conv_id, prompt in (("a", "one"), ("b", "line\nbreak \u2028 \U0001f600"), ("a", "two")):
            client.ask("chat", {"prompt": prompt, "conv_id": conv_id})
        client.send("conversation.export")
        lines = []
        while not (reply := client.receive())["final"]:
            lines.append(json.loads(reply["body"]["line"]))
        self.assertEqual(reply["body"]["lines"], 2)
        self.assertEqual([line["conv_id"] for line in lines], ["a", "b"])
        self.assertEqual([m["content"] for m in lines[0]["messages"]][::2], ["one", "two"])
        exported = daemon.ctl("conversation", "--export")
        self.assertEqual(exported.returncode, 0, exported.stderr)
        self.assertEqual([json.loads(line) for line in exported.stdout.split("\n") if line], lines)
        one = daemon.ctl("conversation", "b", "--export")
        self.assertEqual(json.loads(one.stdout)["messages"][0]["content"],
                         "line\nbreak \u2028 \U0001f600")

    def test_conversations_are_listed_in_pages_truncated_and_deleted(self):
        daemon = self.daemon(keys=[key("k1", rpm=100)])
        client = self.client(daemon)
        for i in range(5):
            client.chat("hello", conv_id=f"coder_{i}")
        client.chat("hello", conv_id="planner_1")
        seen, after = [], {}
        while True:
            body = client.ask("conversation.list", {"prefix": "coder_", "limit": 2, **after})["body"]
            seen += [row["conv_id"] for row in body["conversations"]]
            if "next" not in body:
                break
            after = {"after": body["next"]}
        self.assertEqual(seen, [f"coder_{i}" for i in range(5)])
        client.chat("again", conv_id="coder_0")
        shortened = client.ask("conversation.truncate", {"conv_id": "coder_0", "keep_last_n": 2})
        self.assertEqual(shortened["body"], {"removed": 2, "message_count": 2})
        self.assertEqual(daemon.ctl("conversation", "coder_1", "--delete").returncode, 0)
        self.assertEqual(daemon.ctl("conversation", "coder_1", "--delete").returncode, 1)
        self.assertNotIn("coder_1", daemon.ctl("conversations").stdout)


if __name__ == "__main__":
    unittest.main()
