"""kill -9 at named points and at any moment: nothing acknowledged is lost, nothing known is paid
twice. The rounds are crash.py's."""

import os
import pathlib
import sqlite3
import subprocess
import time
import unittest

import crash
from crash import Book, Broken, Turn
from support import BIN, PATIENCE_S, EndToEnd

ROUNDS = int(os.environ.get("REQUESTROUTER_CRASH_ROUNDS", "200"))


class Rounds(unittest.TestCase):
    def test_200_kills_under_load_lose_nothing_double_nothing_and_keep_the_order(self):
        total = crash.run(ROUNDS, jobs=2 * (os.cpu_count() or 1), seed=int.from_bytes(os.urandom(4)))
        print(crash.report(total))
        self.assertEqual(sum(total["kills"].values()), ROUNDS)
        self.assertGreater(total["turns"], ROUNDS)
        self.assertGreater(total["replayed"], 0)
        self.assertGreater(len(total["unknown"]), 0)


class TheBookNotices(unittest.TestCase):
    """That the rounds can fail at all."""

    def setUp(self):
        self.book = Book("b")
        for prompt in ("one", "two"):
            turn = Turn(prompt, {"prompt": prompt, "conv_id": "c"})
            self.book.open[prompt] = turn
            self.book.answer({"id": prompt, "ok": True, "body": {
                "content": prompt + "!", "persisted": True, "replayed": False, "warnings": [],
                "tokens": {"input": 1, "output": 1}}})

    def check(self, *texts):
        self.book.check_conversation("c", [{"content": text} for text in texts])

    def test_what_is_as_it_should_be(self):
        self.check("one", "one!", "two", "two!")
        self.book.check_bill({"one": 1, "two": 1}, self.usage(2), 2, set())

    def test_a_lost_turn(self):
        with self.assertRaises(Broken):
            self.check("one", "one!")

    def test_a_doubled_turn(self):
        with self.assertRaises(Broken):
            self.check("one", "one!", "two", "two!", "two", "two!")

    def test_turns_in_another_order(self):
        with self.assertRaises(Broken):
            self.check("two", "two!", "one", "one!")

    def test_half_a_turn(self):
        self.book.new_turn("c")
        with self.assertRaises(Broken):
            self.check("one", "one!", "two", "two!", "b says 1")

    def test_a_second_bill_that_nobody_was_told_of(self):
        with self.assertRaises(Broken):
            self.book.check_bill({"one": 2, "two": 1}, self.usage(2), 3, set())

    def test_usage_that_is_counted_twice_or_not_at_all(self):
        for requests in (1, 3):
            with self.assertRaises(Broken):
                self.book.check_bill({"one": 1, "two": 1}, self.usage(requests), 2, set())

    @staticmethod
    def usage(requests):
        return {"requests": requests, "errors": 0, "input_tokens": requests,
                "output_tokens": requests}


class NamedMoments(EndToEnd):
    def crashing(self, daemon, point):
        """The same daemon, which ends itself at `point`."""
        command = [BIN / "routerd_crash", *daemon.command()[1:]]
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL,
                                   env={**daemon.environment, "REQUESTROUTER_CRASH_AT": point})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def contents(self, client, conv_id="talk"):
        messages = client.ask("conversation.get", {"conv_id": conv_id})["body"]["messages"]
        return [message["content"] for message in messages]

    def test_in_a_migration_the_old_database_is_whole_and_the_next_daemon_migrates_it(self):
        daemon = self.daemon(start=False)
        state = pathlib.Path(self.folder.name) / "state"
        state.mkdir()
        script = (pathlib.Path(__file__).parent.parent / "storage/schema_1.sql").read_text()
        now_ms = int(time.time() * 1000)
        with sqlite3.connect(state / "requestrouter.db") as database:
            database.executescript(script)
            database.execute("UPDATE conversations SET updated_at = ?, expires_at = ?",
                             (now_ms, now_ms + 3_600_000))
        database.close()
        process = self.crashing(daemon, "migrating")
        self.assertEqual(process.wait(PATIENCE_S), -9)
        with sqlite3.connect(state / "requestrouter.db") as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone(), (1,))
        database.close()
        client = self.client(daemon.start())
        self.assertEqual(client.ask("check")["body"]["problems"], [])
        talk = client.ask("conversation.get", {"conv_id": "talk", "uid": 1000})["body"]
        self.assertEqual([message["content"] for message in talk["messages"]],
                         ["one", "answer to one", "two", "answer to two"])

    def test_in_a_backup_no_half_a_file_has_its_name_and_the_next_backup_works(self):
        daemon = self.daemon()
        asked = self.client(daemon).chat("hello", conv_id="talk")["body"]["content"]
        daemon.stop()
        process = self.crashing(daemon, "backing_up")
        path = pathlib.Path(self.folder.name) / "backup.db"
        self.client(daemon).send("backup", {"path": str(path)})
        self.assertEqual(process.wait(PATIENCE_S), -9)
        self.assertFalse(path.exists())
        client = self.client(daemon.start())
        self.assertTrue(client.ask("backup", {"path": str(path)})["ok"])
        self.assertEqual(sorted(entry.name for entry in path.parent.glob("backup*")), ["backup.db"])
        with sqlite3.connect(path) as database:
            self.assertEqual(database.execute("SELECT text FROM messages WHERE seq = 1").fetchone(),
                             (asked,))
        database.close()

    def test_in_a_restore_what_was_there_stays(self):
        daemon = self.daemon()
        client = self.client(daemon)
        client.chat("one", conv_id="talk")
        path = self.folder.name + "/backup.db"
        client.ask("backup", {"path": path})
        client.chat("two", conv_id="talk")
        before = self.contents(client)
        daemon.stop()
        process = self.crashing(daemon, "restoring")
        self.client(daemon).send("restore", {"path": path})
        self.assertEqual(process.wait(PATIENCE_S), -9)
        client = self.client(daemon.start())
        self.assertEqual(self.contents(client), before)
        self.assertTrue(client.ask("restore", {"path": path})["ok"])
        self.assertEqual(self.contents(client), before[:2])
        self.assertEqual(list(pathlib.Path(self.folder.name).glob("state/restore*")), [])


if __name__ == "__main__":
    unittest.main()
