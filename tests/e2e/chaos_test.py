"""Providers that misbehave in every way at once: every request still ends with exactly one final
message, and what was counted is what the simulator's ledger says.
"""

import collections
import json
import random
import time
import unittest

import zmq

from support import EndToEnd, key

MODELS = {"gemini": "gemini-2.5-flash", "openai": "gpt-4o-mini", "anthropic": "claude-sonnet-4-5"}
REQUESTS = 240
FAULTS = [
    {"kind": "status", "status": 500}, {"kind": "status", "status": 503}, {"kind": "html"},
    {"kind": "rate_limit", "retry_after_ms": 100}, {"kind": "hang"}, {"kind": "reset"},
    {"kind": "reset_mid_body"}, {"kind": "truncated"}, {"kind": "hang_mid_body"},
    {"kind": "slow_drip", "pace_ms": 1}, {"kind": "bad_json"}, {"kind": "empty"},
    {"kind": "wrong_content_type"}, {"kind": "gzip"}, {"kind": "error_mid_stream"},
]


class Chaos(EndToEnd):
    SIM = tuple(x for i in range(6) for x in ("--key", f"s{i}"))

    def setUp(self):
        super().setUp()
        random.seed(1)
        keys, secrets = [], {}
        for i, provider in enumerate(list(MODELS) * 2):
            keys.append(key(f"k{i}", provider, MODELS[provider], rpm=10_000, tpm=1_000_000_000))
            secrets[f"k{i}"] = f"s{i}"
        self.running = self.daemon(keys=keys, secrets=secrets, start=False,
                                   config={"base_backoff_ms": 20, "max_retries": 5})
        written = json.loads(self.running.config.read_text())
        quick = {"first_token_timeout_ms": 400, "idle_timeout_ms": 400}
        written["providers"] = dict.fromkeys(MODELS, quick)
        self.running.config.write_text(json.dumps(written))
        self.running.start()
        self.agent = self.client(self.running, kind=zmq.DEALER)

    def run_all(self):
        """Sends everything at once; returns what was asked, the pieces and the final messages."""
        asked, pieces, finals = {}, collections.defaultdict(str), collections.defaultdict(list)
        for i in range(REQUESTS):
            body = {"prompt": f"request {i} of many", "stream": random.random() < 0.5,
                    "model_preference": random.choice(list(MODELS.values()))}
            if random.random() < 0.3:
                body["conv_id"] = f"talk-{random.randrange(10)}"
            asked[self.agent.send("chat", body, id=f"r{i}", deadline_ms=25_000)] = body
        while len(finals) < REQUESTS:
            reply = self.agent.receive(60)
            if reply["final"]:
                finals[reply["id"]].append(reply)
            else:
                self.assertNotIn(reply["id"], finals, "nothing comes after the final message")
                pieces[reply["id"]] += reply["body"]["delta"]["text"]
        with self.assertRaises(TimeoutError):  # there is no second one
            extra = self.agent.receive(0.5)
            self.fail(extra)
        return asked, pieces, finals

    def test_every_request_ends_once_and_the_accounts_agree(self):
        self.sim.control(faults=[{**fault, "probability": 0.03, "count": 0} for fault in FAULTS])
        began = time.monotonic()
        asked, pieces, finals = self.run_all()
        self.assertLess(time.monotonic() - began, 55, "the windows below are of a minute")
        self.sim.control(clear_faults=True)
        answers = {}
        for name, body in asked.items():
            [final] = finals[name]
            if final["ok"]:
                answers[name] = final["body"]
                self.assertIn(body["prompt"], final["body"]["content"])
                if body["stream"]:
                    self.assertEqual(pieces[name], final["body"]["content"])
                else:
                    self.assertNotIn(name, pieces)
            else:
                self.assertIn(final["error"]["type"],
                              ("upstream_unavailable", "deadline_exceeded", "all_keys_exhausted"))
                interrupted = final["error"].get("details", {}).get("interrupted", False)
                self.assertEqual(interrupted, name in pieces, final)
        self.assertGreater(len(answers), REQUESTS * 0.8)
        self.check_ledger(asked, answers)
        self.check_conversations(asked, answers)

    def check_ledger(self, asked, answers):
        client = self.client(self.running)
        stats = self.sim.stats()
        self.assertEqual(stats["in_flight"], 0)
        faulted = stats["totals"]["faulted"]
        self.assertGreater(faulted, REQUESTS * 0.2)
        self.assertEqual(stats["keys_in_urls"], 0)
        for body in answers.values():
            self.assertEqual(body["tokens"]["total"],
                             body["tokens"]["input"] + body["tokens"]["output"])
        # Every call that reached a provider holds its place in the key's window, and no other. But
        # one over a kept-alive connection that was reset before any acknowledgement came looks as
        # if it had never arrived, and goes out a second time (see upstream::Client).
        sent = {k["key"]: k["requests"] for k in stats["keys"]}
        resets = collections.Counter(r["key"] for r in stats["recent"] if r["outcome"] == "reset")
        for k in client.ask("keys.list")["body"]["keys"]:
            [usage] = k["usage"].values()
            secret = "s" + k["key_id"][1:]
            self.assertLessEqual(usage["rpm"]["used"], sent[secret], k)
            self.assertGreaterEqual(usage["rpm"]["used"], sent[secret] - resets[secret], k)
            self.assertEqual(k["in_flight"], 0)
        # Every request is counted once, with at least the tokens that were answered and at most
        # those that were billed.
        rows = client.ask("usage", {"by": ["key"]})["body"]["rows"]
        total = collections.Counter()
        for row in rows:
            total.update({name: row[name] for name in
                          ("requests", "errors", "input_tokens", "output_tokens")})
        self.assertEqual(total["requests"], REQUESTS)
        self.assertEqual(total["errors"], REQUESTS - len(answers))
        for kind in ("input", "output"):
            answered = sum(body["tokens"][kind] for body in answers.values())
            self.assertGreaterEqual(total[kind + "_tokens"], answered)
            self.assertLessEqual(total[kind + "_tokens"], stats["totals"][kind + "_tokens"])
        # What the timeline of a request says is what its answer says.
        for name, body in list(answers.items())[:40]:
            told = client.ask("explain", {"id": name})["body"]
            self.assertEqual(len(told["attempts"]), body["attempts"])
            self.assertEqual(told["attempts"][-1]["outcome"], "ok")

    def check_conversations(self, asked, answers):
        """Exactly the turns that succeeded, in the order in which they were sent."""
        client = self.client(self.running)
        for conv in {body["conv_id"] for body in asked.values() if "conv_id" in body}:
            reply = client.ask("conversation.get", {"conv_id": conv})
            turns = [] if not reply["ok"] else [
                m["content"] for m in reply["body"]["messages"] if m["role"] == "user"]
            self.assertEqual(turns, [body["prompt"] for name, body in asked.items()
                                     if body.get("conv_id") == conv and name in answers])


if __name__ == "__main__":
    unittest.main()
