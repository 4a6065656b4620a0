"""What operators ask, on the wire and through routerctl."""

import json
import unittest

import zmq

from support import EndToEnd, key


class Operations(EndToEnd):
    def test_ping_health_and_models_answer_as_the_protocol_says(self):
        client = self.client(self.daemon())
        ping = client.ask("ping")["body"]
        self.assertEqual(ping["protocol"], [1])
        health = client.ask("health")["body"]
        self.assertTrue(health["healthy"])
        self.assertEqual(health["storage"], {"healthy": True, "engine": "sqlite"})
        self.assertEqual(health["queue"], {"waiting": 0, "in_flight": 0})
        models = client.ask("models")["body"]["models"]
        self.assertEqual([(m["model"], m["provider"], m["keys"], m["available"]) for m in models],
                         [("gemini-2.5-flash", "gemini", 2, True)])

    def test_conversations_are_listed_truncated_exported_and_deleted(self):
        client = self.client(self.daemon(), kind=zmq.DEALER)

        def ask(op, body=None):
            client.send(op, body)
            return client.receive()["body"]

        for conv in ("a-1", "a-2", "b-1"):
            for i in range(2):
                ask("chat", {"prompt": f"turn {i}", "conv_id": conv})
        listed = ask("conversation.list", {"prefix": "a-", "limit": 1})
        self.assertEqual([c["conv_id"] for c in listed["conversations"]], ["a-1"])
        after = ask("conversation.list", {"prefix": "a-", "after": listed["next"]})
        self.assertEqual([c["conv_id"] for c in after["conversations"]], ["a-2"])
        self.assertNotIn("next", after)
        self.assertEqual(ask("conversation.truncate", {"conv_id": "a-1", "keep_last_n": 3}),
                         {"removed": 1, "message_count": 3})
        got = ask("conversation.get", {"conv_id": "a-1"})
        self.assertEqual([m["role"] for m in got["messages"]], ["assistant", "user", "assistant"])
        client.send("conversation.export")
        lines = []
        while not (reply := client.receive())["final"]:
            lines.append(json.loads(reply["body"]["line"]))
        self.assertEqual(reply["body"]["lines"], 3)
        self.assertEqual([line["conv_id"] for line in lines], ["a-1", "a-2", "b-1"])
        self.assertTrue(ask("conversation.delete", {"conv_id": "a-1"})["deleted"])
        self.assertEqual(len(ask("conversation.list")["conversations"]), 2)

    def test_a_disabled_key_is_not_used_until_it_is_enabled(self):
        client = self.client(self.daemon(keys=[key("k1", tags={"priority": 1}), key("k2")]))
        self.assertEqual(client.ask("keys.disable", {"key_id": "k1"})["body"],
                         {"key_id": "k1", "state": "disabled"})
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k2")
        self.assertEqual(client.ask("keys.enable", {"key_id": "k1"})["body"]["state"], "ready")
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k1")

    def test_a_request_can_be_explained_afterwards(self):
        client = self.client(self.daemon())
        client.chat("hello", id="why")
        explained = client.ask("explain", {"id": "why"})["body"]
        self.assertEqual(explained["state"], "answered")
        self.assertEqual(explained["attempts"][0]["outcome"], "ok")
        self.assertEqual({c["key_id"] for c in explained["considered"]}, {"k1", "k2"})

    def test_the_queue_shows_who_waits_and_for_how_long(self):
        client = self.client(self.daemon(keys=[key("k1", rpm=1)]), kind=zmq.DEALER)
        client.send("chat", {"prompt": "first"})
        client.receive()
        client.send("chat", {"prompt": "second", "agent": "coder"}, id="waits")
        client.send("queue")
        waiting = client.receive()["body"]["waiting"]
        self.assertEqual([(w["id"], w["agent"], w["position"]) for w in waiting],
                         [("waits", "coder", 1)])
        self.assertGreater(waiting[0]["eta_ms"], 50_000)

    def test_usage_is_counted_by_what_is_asked(self):
        client = self.client(self.daemon())
        client.chat("hello", agent="coder")
        client.chat("hello", agent="planner")
        rows = client.ask("usage", {"by": ["agent"]})["body"]["rows"]
        self.assertEqual([(r["agent"], r["requests"]) for r in rows], [("coder", 1), ("planner", 1)])

    def test_a_backup_is_a_database_of_its_own(self):
        client = self.client(self.daemon())
        client.chat("hello", conv_id="talk")
        path = self.folder.name + "/backup.db"
        self.assertGreater(client.ask("backup", {"path": path})["body"]["bytes"], 0)
        with open(path, "rb") as file:
            self.assertTrue(file.read(16).startswith(b"SQLite format 3"))
        self.assertFalse(client.ask("backup", {"path": path})["ok"])


class Routerctl(EndToEnd):
    def test_every_command_of_the_daily_work_speaks_to_people_and_to_programs(self):
        daemon = self.daemon()
        said = daemon.ctl("chat", "--conversation", "talk", "hello")
        self.assertEqual(said.returncode, 0, said.stderr)
        self.assertIn("You said: hello", said.stdout)
        for command in (["health"], ["keys"], ["models"], ["conversations"],
                        ["conversation", "talk"], ["queue"], ["usage"]):
            with self.subTest(command=command):
                people = daemon.ctl(*command)
                self.assertEqual(people.returncode, 0, people.stderr)
                self.assertNotIn("\x1b", people.stdout)
                programs = daemon.ctl("--json", *command)
                self.assertEqual(programs.returncode, 0, programs.stderr)
                self.assertIsInstance(json.loads(programs.stdout), dict)
        self.assertIn("k1", daemon.ctl("keys").stdout)

    def test_interventions_work_and_what_is_refused_exits_with_1(self):
        daemon = self.daemon()
        self.assertEqual(daemon.ctl("disable", "k1").returncode, 0)
        self.assertIn("disabled", daemon.ctl("keys").stdout)
        self.assertEqual(daemon.ctl("enable", "k1").returncode, 0)
        self.assertEqual(daemon.ctl("reset-cooldown", "--all").returncode, 0)
        refused = daemon.ctl("disable", "none")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("routerctl keys", refused.stderr)

    def test_an_unhealthy_daemon_exits_with_1_wrong_words_with_2_and_no_daemon_with_3(self):
        daemon = self.daemon(secrets={})
        self.assertEqual(daemon.ctl("health").returncode, 1)
        self.assertEqual(daemon.ctl("no-such-command").returncode, 2)
        daemon.stop()
        gone = daemon.ctl("health")
        self.assertEqual(gone.returncode, 3)
        self.assertIn("routerd", gone.stderr)


if __name__ == "__main__":
    unittest.main()
