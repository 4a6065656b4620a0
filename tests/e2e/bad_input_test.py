"""What is malformed, forbidden or impossible, and the error it gets."""

import os
import stat
import unittest

import msgpack
import zmq

from support import EndToEnd, key


class BadMessages(EndToEnd):
    def test_every_malformed_payload_gets_the_error_that_names_it(self):
        client = self.client(self.daemon())
        table = [
            (b"", "invalid_request", ""),
            (b"\xc1", "invalid_request", "MessagePack"),
            (msgpack.packb([1]), "invalid_request", "map"),
            (msgpack.packb({"v": 1, "op": "ping"}), "invalid_request", "id"),
            (msgpack.packb({"v": 1, "id": "x"}), "invalid_request", "op"),
            (msgpack.packb({"v": 2, "id": "x", "op": "ping"}), "unsupported_version", "2"),
            (msgpack.packb({"v": 1, "id": "x", "op": "fly"}), "unknown_op", "fly"),
            (msgpack.packb({"v": 1, "id": "x", "op": "ping", "deadline_ms": 0}),
             "invalid_request", "deadline_ms"),
            (msgpack.packb({"v": 1, "id": "x", "op": "chat", "body": {}}),
             "invalid_request", "prompt"),
            (msgpack.packb({"v": 1, "id": "x", "op": "chat", "body": {"prompt": 5}}),
             "invalid_request", "prompt"),
            (msgpack.packb({"v": 1, "id": "x", "op": "chat",
                            "body": {"prompt": "a", "temperature": "hot"}}),
             "invalid_request", "temperature"),
            (msgpack.packb({"v": 1, "id": "x" * 129, "op": "ping"}), "invalid_request", "id"),
        ]
        for payload, kind, word in table:
            with self.subTest(payload=payload[:60]):
                client.send_bytes(payload)
                self.assertIn(word, self.assert_error(client.receive(), kind)["message"])

    def test_a_payload_over_the_limit_is_refused_with_the_limit(self):
        client = self.client(self.daemon())
        client.send_bytes(msgpack.packb({"v": 1, "id": "x", "op": "chat",
                                         "body": {"prompt": "a" * (16 << 20)}}))
        error = self.assert_error(client.receive(), "payload_too_large")
        self.assertEqual(error["details"]["limit"], 16 << 20)

    def test_a_message_without_an_envelope_is_dropped_and_the_daemon_lives(self):
        daemon = self.daemon()
        client = self.client(daemon, kind=zmq.DEALER)
        client.socket.send_multipart([b"no", b"delimiter"])
        client.socket.send_multipart([b"", b"two", b"payloads"])
        client.send("ping")
        self.assertTrue(client.receive()["ok"])

    def test_what_is_not_there_is_not_found(self):
        client = self.client(self.daemon())
        self.assert_error(client.ask("conversation.get", {"conv_id": "none"}), "not_found")
        self.assert_error(client.ask("keys.reset", {"key_id": "none"}), "not_found")
        self.assert_error(client.ask("explain", {"id": "none"}), "not_found")
        self.assert_error(client.chat("hi", model_preference="gpt-none", allow_fallback=False),
                          "not_found")
        self.assertFalse(client.ask("conversation.delete", {"conv_id": "none"})["body"]["deleted"])
        self.assertFalse(client.ask("cancel", {"id": "none"})["body"]["cancelled"])


class BadStarts(EndToEnd):
    def test_a_key_without_a_secret_is_said_and_the_others_serve(self):
        daemon = self.daemon(secrets={"k2": "s2"})
        client = self.client(daemon)
        states = {k["key_id"]: k["state"] for k in client.ask("keys.list")["body"]["keys"]}
        self.assertEqual(states, {"k1": "no_secret", "k2": "ready"})
        self.assertEqual(client.chat("hello")["body"]["key_id"], "k2")
        self.assertIn("API_KEY_k1", daemon.log_text())

    def test_a_second_daemon_on_the_same_endpoint_is_refused_and_the_first_lives(self):
        daemon = self.daemon()
        again = daemon.run("--state-dir", self.folder.name + "/other")
        self.assertEqual(again.returncode, 1)
        self.assertIn("another routerd", again.stderr)
        self.assertTrue(self.client(daemon).ask("ping")["ok"])

    def test_a_second_daemon_on_the_same_state_is_refused(self):
        daemon = self.daemon()
        again = daemon.run("--endpoint", f"ipc://{self.folder.name}/other.sock")
        self.assertEqual(again.returncode, 1)
        self.assertIn("--state-dir", again.stderr)

    def test_a_state_directory_that_cannot_be_made_is_said_with_the_remedy(self):
        daemon = self.daemon(start=False)
        refused = daemon.run("--state-dir", "/proc/none")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("--state-dir", refused.stderr)
        self.assertEqual(len(refused.stderr.strip().splitlines()), 1, refused.stderr)

    def test_an_endpoint_that_cannot_be_used_is_said_with_the_remedy(self):
        daemon = self.daemon(start=False)
        for endpoint, word in (("tcp://127.0.0.1:1", "ipc://"), ("ipc:///" + "x" * 200, "too long"),
                               ("ipc:///proc/none/s", "--endpoint")):
            with self.subTest(endpoint=endpoint[:30]):
                refused = daemon.run("--endpoint", endpoint)
                self.assertEqual(refused.returncode, 1)
                self.assertIn(word, refused.stderr)

    def test_every_mistake_of_the_configuration_is_named_with_file_line_and_key(self):
        daemon = self.daemon(start=False)
        daemon.config.write_text('{\n  "keys": [\n    {"key_id": "a", "provider": "gemini",\n'
                                 '     "model_name": "m", "rpm": -1},\n    {"key_id": "a",'
                                 ' "provider": "gemnii", "model_name": "m"}\n  ]\n}\n')
        for arguments in ((), ("--check-config",)):
            refused = daemon.run(*arguments)
            self.assertEqual(refused.returncode, 1)
            self.assertIn("keys.json:4: keys[0].rpm", refused.stderr)
            self.assertIn("keys[1].provider", refused.stderr)
            self.assertIn("gemini", refused.stderr)

    def test_check_config_passes_a_good_one_and_says_what_it_found(self):
        checked = self.daemon(start=False).run("--check-config")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("2 keys, 2 with a secret", checked.stdout)

    def test_a_configuration_that_is_not_there_is_one_line_with_the_remedy(self):
        daemon = self.daemon(start=False)
        daemon.config.unlink()
        refused = daemon.run()
        self.assertEqual(refused.returncode, 1)
        self.assertIn("keys.json", refused.stderr)

    def test_usage_errors_exit_with_2(self):
        self.assertEqual(self.daemon(start=False).run("--no-such-option").returncode, 2)


class Files(EndToEnd):
    def test_the_database_is_for_its_owner_alone(self):
        daemon = self.daemon()
        self.client(daemon).chat("hello", conv_id="talk")
        for name in os.listdir(self.folder.name + "/state"):
            mode = stat.S_IMODE(os.stat(f"{self.folder.name}/state/{name}").st_mode)
            self.assertEqual(mode & 0o077, 0, name)

    def test_no_secret_is_in_the_log_the_database_or_a_reply(self):
        secret = "AIzaSyPlantedSecret0123456789abcdefghijk"
        self.sim.control()
        daemon = self.daemon(keys=[key("k1"), key("k2")], secrets={"k1": secret, "k2": "s2"})
        client = self.client(daemon)
        replies = [client.chat("hello", conv_id="talk"), client.ask("keys.list"),
                   client.ask("health"), client.ask("metrics")]
        daemon.stop()
        found = [repr(replies), daemon.log_text()]
        for name in os.listdir(self.folder.name + "/state"):
            with open(f"{self.folder.name}/state/{name}", "rb") as file:
                found.append(file.read().decode("latin-1"))
        for text in found:
            self.assertNotIn(secret, text)


if __name__ == "__main__":
    unittest.main()
