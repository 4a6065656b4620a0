"""Every field of `chat` through the real road, for each provider, streamed and not."""

import functools
import json
import struct
import unittest
import zlib

import zmq

from recorder import Recorder
from support import EndToEnd, key

GEMINI, OPENAI, ANTHROPIC = "gemini-2.5-flash", "gpt-4o-mini", "claude-sonnet-4-5"
MODELS = {"gemini": GEMINI, "openai": OPENAI, "anthropic": ANTHROPIC}
THINKERS = {"gemini": "gemini-3-pro-preview", "openai": "gpt-5-mini", "anthropic": ANTHROPIC}

WEATHER = {"name": "get_weather", "description": "The weather in a city",
           "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                          "required": ["city"]}}
CLOCK = {"name": "get_time", "parameters": {"type": "object", "properties": {}}}
CITY = {"type": "object", "properties": {"name": {"type": "string"}, "people": {"type": "integer"}},
        "required": ["name", "people"], "additionalProperties": False}


def png():
    """A picture of one pixel."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0")) + chunk(b"IEND", b""))


def for_each(models):
    """Runs a test for each provider's model, streamed and not."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            for provider, model in models.items():
                for stream in (False, True):
                    with self.subTest(provider=provider, stream=stream):
                        test(self, provider, model, stream)
        return run
    return decorate


class Talk:
    """What came of one request: the deltas put together, and the final message."""

    def __init__(self, client, body):
        client.send("chat", body)
        self.text, self.reasoning, self.calls = "", "", {}
        while True:
            reply = client.receive()
            if reply["final"]:
                break
            self.take(reply["body"]["delta"])
        self.final = reply
        self.ok = reply["ok"]
        self.body = reply.get("body", {})
        self.error = reply.get("error", {})

    def take(self, delta):
        self.text += delta.get("text", "")
        self.reasoning += delta.get("reasoning", "")
        if piece := delta.get("tool_call"):
            call = self.calls.setdefault(piece["index"], {"id": "", "name": "", "arguments": ""})
            for name in call:
                call[name] += piece.get(name, "")


class EachProvider(EndToEnd):
    """A daemon with a key for each model below."""

    SIM = ("--key", "s1", "--key", "s2", "--key", "s3")

    def setUp(self):
        super().setUp()
        keys = [key(f"{provider}-{i}", provider, model)
                for provider in MODELS
                for i, model in enumerate(sorted({MODELS[provider], THINKERS[provider]}))]
        secrets = {k["key_id"]: "s1" for k in keys}
        self.running = self.daemon(keys=keys, secrets=secrets,
                                   config={"enable_fallback": False})
        self.agent = self.client(self.running, kind=zmq.DEALER)

    def talk(self, model, stream, **body):
        talk = Talk(self.agent, {"model_preference": model, "stream": stream, **body})
        if talk.ok:
            if stream:
                self.assertEqual(talk.text, talk.body["content"])
                said = [{k: c[k] for k in ("id", "name", "arguments")}
                        for c in talk.body.get("tool_calls", [])]
                self.assertEqual([talk.calls[i] for i in sorted(talk.calls)], said)
            else:
                self.assertEqual((talk.text, talk.calls), ("", {}))
            self.assertEqual(talk.body["model"], model)
        return talk



class Text(EachProvider):
    @for_each(MODELS)
    def test_system_prompt_and_history_arrive(self, provider, model, stream):
        conv = f"{provider}-{stream}"
        first = self.talk(model, stream, prompt="My name is Ada.", conv_id=conv,
                          system_prompt="Be brief.")
        self.assertTrue(first.ok, first.final)
        second = self.talk(model, stream, prompt="What is my name?", conv_id=conv)
        self.assertEqual(second.body["content"], "Your name is Ada.")
        third = self.talk(model, stream, prompt="What are your instructions?", conv_id=conv)
        self.assertEqual(third.body["content"], "My instructions are: Be brief.")
        self.assertEqual(third.body["finish_reason"], "stop")
        self.assertTrue(third.body["persisted"])

    @for_each(MODELS)
    def test_messages_of_one_request_are_a_whole_dialogue(self, _, model, stream):
        talk = self.talk(model, stream, messages=[
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [{"type": "text", "text": "My name is "},
                                         {"type": "text", "text": "Bob."}]},
            {"role": "assistant", "content": "Hello."},
            {"role": "user", "content": "What is my name?"}])
        self.assertEqual(talk.body.get("content"), "Your name is Bob.", talk.final)

    @for_each(MODELS)
    def test_an_answer_cut_at_its_length_says_so(self, _, model, stream):
        talk = self.talk(model, stream, prompt="tell me " + "much " * 50, max_output_tokens=5)
        self.assertEqual(talk.body.get("finish_reason"), "length", talk.final)
        self.assertEqual(len(talk.body["content"]), 20)

    @for_each(MODELS)
    def test_a_stop_sequence_ends_the_answer(self, _, model, stream):
        talk = self.talk(model, stream, prompt="one two three", stop=["two"])
        self.assertEqual(talk.body.get("content"), "You said: one ", talk.final)
        self.assertEqual(talk.body["finish_reason"], "stop")

    @for_each(MODELS)
    def test_tokens_are_those_that_the_provider_counted(self, _, model, stream):
        self.sim.control(cached_tokens=3)
        talk = self.talk(model, stream, prompt="count these tokens, please")
        billed = self.sim.stats()["recent"][-1]
        tokens = talk.body["tokens"]
        self.assertEqual(tokens["input"], billed["input_tokens"])
        self.assertEqual(tokens["output"], billed["output_tokens"])
        self.assertEqual(tokens["cached"], 3)
        self.assertEqual(tokens["total"], tokens["input"] + tokens["output"])


class Tools(EachProvider):
    @for_each(THINKERS)
    def test_parallel_calls_and_their_results_in_the_next_turn(self, provider, model, stream):
        conv = f"tools-{provider}-{stream}"
        asked = self.talk(model, stream, conv_id=conv, tools=[WEATHER, CLOCK],
                          prompt="call get_weather and call get_time")
        self.assertEqual(asked.body.get("finish_reason"), "tool_calls", asked.final)
        calls = asked.body["tool_calls"]
        self.assertEqual([c["name"] for c in calls], ["get_weather", "get_time"])
        self.assertIsInstance(json.loads(calls[0]["arguments"])["city"], str)
        self.assertNotEqual(calls[0]["id"], calls[1]["id"])
        results = [{"role": "tool", "tool_call_id": calls[0]["id"], "content": "rain"},
                   {"role": "tool", "tool_call_id": calls[1]["id"], "content": "noon"}]
        told = self.talk(model, stream, conv_id=conv, tools=[WEATHER, CLOCK], messages=results)
        self.assertEqual(told.body.get("content"), "The tool said: rain; noon.", told.final)
        self.assertEqual(told.body["finish_reason"], "stop")

    @for_each(THINKERS)
    def test_a_conversation_that_was_truncated_in_a_tool_loop_goes_on(self, provider, model, stream):
        conv = f"truncated-{provider}-{stream}"
        asked = self.talk(model, stream, conv_id=conv, tools=[WEATHER], prompt="call get_weather")
        told = self.talk(model, stream, conv_id=conv, tools=[WEATHER], messages=[
            {"role": "tool", "tool_call_id": asked.body["tool_calls"][0]["id"], "content": "sun"}])
        self.assertTrue(told.ok, told.final)
        self.agent.ask("conversation.truncate", {"conv_id": conv, "keep_last_n": 2})
        later = self.talk(model, stream, conv_id=conv, prompt="hello")
        self.assertTrue(later.ok, later.final)

    @for_each(THINKERS)
    def test_a_tool_loop_without_a_conversation_hands_the_calls_back(self, _, model, stream):
        asked = self.talk(model, stream, tools=[WEATHER], prompt="call get_weather")
        self.assertTrue(asked.ok, asked.final)
        answer = {"role": "assistant", "content": asked.body["content"],
                  "tool_calls": asked.body["tool_calls"]}
        if "provider_state" in asked.body:
            answer["provider_state"] = asked.body["provider_state"]
        told = self.talk(model, stream, tools=[WEATHER], messages=[
            {"role": "user", "content": "call get_weather"}, answer,
            {"role": "tool", "tool_call_id": asked.body["tool_calls"][0]["id"],
             "content": "sun"}])
        self.assertEqual(told.body.get("content"), "The tool said: sun.", told.final)

    @for_each(MODELS)
    def test_the_choice_of_tools_is_kept_to(self, _, model, stream):
        forced = self.talk(model, stream, tools=[WEATHER, CLOCK], prompt="hello",
                           tool_choice={"name": "get_time"})
        self.assertEqual([c["name"] for c in forced.body.get("tool_calls", [])], ["get_time"],
                         forced.final)
        some = self.talk(model, stream, tools=[WEATHER], prompt="hello",
                         tool_choice="required")
        self.assertEqual(len(some.body["tool_calls"]), 1)
        none = self.talk(model, stream, tools=[WEATHER], prompt="call get_weather",
                         tool_choice="none")
        self.assertEqual(none.body.get("tool_calls", []), [])
        self.assertEqual(none.body["finish_reason"], "stop")


class Structured(EachProvider):
    @for_each(MODELS)
    def test_an_answer_follows_a_schema(self, _, model, stream):
        talk = self.talk(model, stream, prompt="Describe Paris.",
                         response_format={"type": "json_schema", "name": "city",
                                          "schema": CITY})
        self.assertTrue(talk.ok, talk.final)
        self.assertEqual(set(json.loads(talk.body["content"])), {"name", "people"})

    @for_each(MODELS)
    def test_an_answer_is_a_json_object_where_the_provider_has_that(self, provider, model, stream):
        talk = self.talk(model, stream, prompt="Describe Paris.",
                         response_format={"type": "json_object"})
        if provider == "anthropic":
            self.assertEqual(talk.error.get("type"), "invalid_request", talk.final)
            self.assertIn("json_object", talk.error["message"])
        else:
            self.assertTrue(talk.ok, talk.final)
            self.assertIn("answer", json.loads(talk.body["content"]))


class Images(EachProvider):
    @for_each(MODELS)
    def test_a_picture_is_seen_by_its_bytes(self, _, model, stream):
        talk = self.talk(model, stream, messages=[{"role": "user", "content": [
            {"type": "text", "text": "What is this?"},
            {"type": "image", "mime_type": "image/png", "data": png()}]}])
        self.assertEqual(talk.body.get("content"), f"I see 1 image of {len(png())} bytes.",
                         talk.final)

    @for_each(MODELS)
    def test_a_picture_is_seen_by_its_address(self, _, model, stream):
        talk = self.talk(model, stream, messages=[{"role": "user", "content": [
            {"type": "image", "url": "https://example.com/cat.png"}]}])
        self.assertEqual(talk.body.get("content"), "I see 1 image of 0 bytes.", talk.final)

    @for_each(MODELS)
    def test_a_picture_stays_in_the_history(self, provider, model, stream):
        conv = f"picture-{provider}-{stream}"
        first = self.talk(model, stream, conv_id=conv, messages=[{"role": "user", "content": [
            {"type": "text", "text": "My name is Ada."},
            {"type": "image", "mime_type": "image/png", "data": png()}]}])
        before = first.body["tokens"]["input"]
        second = self.talk(model, stream, conv_id=conv, prompt="What is my name?")
        self.assertEqual(second.body["content"], "Your name is Ada.")
        self.assertGreater(second.body["tokens"]["input"], before)


class Reasoning(EachProvider):
    @for_each(THINKERS)
    def test_thoughts_are_streamed_apart_and_counted(self, provider, model, stream):
        talk = self.talk(model, stream, prompt="think", reasoning={"effort": "low"})
        self.assertEqual(talk.body.get("content"), "You said: think; this is turn 1.",
                         talk.final)
        thoughts = provider != "openai"  # whose chat completions keep them to themselves
        self.assertEqual(bool(talk.reasoning), stream and thoughts)
        if provider != "anthropic":  # which does not count them apart
            self.assertGreater(talk.body["tokens"]["reasoning"], 0)

    @for_each(THINKERS)
    def test_signatures_go_back_with_the_results_of_the_calls_they_belong_to(self, provider, model, stream):
        conv = f"signed-{provider}-{stream}"
        how = {"conv_id": conv, "tools": [WEATHER], "reasoning": {"effort": "low"}}
        asked = self.talk(model, stream, prompt="call get_weather", **how)
        self.assertTrue(asked.ok, asked.final)
        if provider == "anthropic":
            self.assertIn("provider_state", asked.body)
        if provider == "gemini":
            self.assertIn("provider_state", asked.body["tool_calls"][0])
        told = self.talk(model, stream, messages=[
            {"role": "tool", "tool_call_id": asked.body["tool_calls"][0]["id"],
             "content": "snow"}], **how)
        self.assertEqual(told.body.get("content"), "The tool said: snow.", told.final)
        again = self.talk(model, stream, prompt="What did I say first?", **how)
        self.assertEqual(again.body.get("content"), "You said first: call get_weather",
                         again.final)


class Safety(EachProvider):
    @for_each(MODELS)
    def test_a_refused_prompt_is_content_blocked_with_the_ratings(self, provider, model, stream):
        self.sim.control(safety="prompt")
        talk = self.talk(model, stream, prompt="something bad")
        self.assertEqual(talk.error.get("type"), "content_blocked", talk.final)
        self.assertIn("safety", talk.error["message"])
        self.assertFalse(talk.error["retryable"])
        if provider == "gemini":
            self.assertTrue(talk.error["details"]["ratings"])
        states = {k["state"] for k in self.client(self.running).ask("keys.list")["body"]["keys"]}
        self.assertEqual(states, {"ready"})

    @for_each(MODELS)
    def test_an_answer_that_is_cut_by_the_filter_says_content_filter(self, _, model, stream):
        self.sim.control(safety="answer")
        talk = self.talk(model, stream, prompt="something bad in the end")
        self.assertTrue(talk.ok, talk.final)
        self.assertEqual(talk.body["finish_reason"], "content_filter")
        self.assertTrue(talk.body["content"])


class Passing(EachProvider):
    """What changes nothing in the simulator's answers, seen in the request itself."""

    def setUp(self):
        super().setUp()
        self.recorder = Recorder(self.sim.url)
        self.addCleanup(self.recorder.stop)
        self.running.stop()
        for provider, suffix in (("GEMINI", ""), ("OPENAI", "/v1"), ("ANTHROPIC", "")):
            self.running.environment[f"ROUTERD_{provider}_BASE_URL"] = self.recorder.url + suffix
        self.running.start()
        self.agent = self.client(self.running, kind=zmq.DEALER)

    def sent(self, model, stream, **body):
        talk = self.talk(model, stream, **body)
        self.assertTrue(talk.ok, talk.final)
        return self.recorder.bodies[-1]

    @for_each(MODELS)
    def test_sampling_is_passed_on_where_the_provider_has_it(self, provider, model, stream):
        sent = self.sent(model, stream, prompt="hi", top_p=0.5, seed=7, stop=["END"],
                         temperature=0.25, max_output_tokens=99)
        if provider == "gemini":
            config = sent["generationConfig"]
            self.assertEqual((config["topP"], config["seed"], config["stopSequences"],
                              config["temperature"], config["maxOutputTokens"]),
                             (0.5, 7, ["END"], 0.25, 99))
        elif provider == "openai":
            self.assertEqual((sent["top_p"], sent["seed"], sent["stop"], sent["temperature"],
                              sent["max_tokens"]), (0.5, 7, ["END"], 0.25, 99))
        else:
            self.assertEqual((sent["top_p"], sent["stop_sequences"], sent["max_tokens"]),
                             (0.5, ["END"], 99))
            self.assertNotIn("seed", sent)  # Anthropic has none

    @for_each(MODELS)
    def test_each_providers_own_options_are_merged_into_its_request_only(self, provider, model, stream):
        settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
        options = {"gemini": {"safetySettings": settings, "generationConfig": {"topK": 3}},
                   "openai": {"service_tier": "flex"},
                   "anthropic": {"metadata": {"user_id": "u-1"}}}
        sent = self.sent(model, stream, prompt="hi", provider_options=options)
        self.assertEqual(sent.get("safetySettings"),
                         settings if provider == "gemini" else None)
        self.assertEqual(sent.get("service_tier"), "flex" if provider == "openai" else None)
        self.assertEqual(sent.get("metadata"),
                         {"user_id": "u-1"} if provider == "anthropic" else None)
        if provider == "gemini":
            self.assertEqual(sent["generationConfig"]["topK"], 3)
            self.assertEqual(sent["generationConfig"]["temperature"], 0.7)


class Travel(EachProvider):
    """A conversation that begins with one provider and goes on with another."""

    @for_each(THINKERS)
    def test_text_calls_results_pictures_and_thoughts_go_along(self, provider, model, stream):
        conv = f"travel-{provider}-{stream}"
        how = {"conv_id": conv, "tools": [WEATHER], "reasoning": {"effort": "low"}}
        begun = self.talk(model, stream, messages=[{"role": "user", "content": [
            {"type": "text", "text": "My name is Ada. call get_weather"},
            {"type": "image", "mime_type": "image/png", "data": png()}]}], **how)
        self.assertEqual(begun.body.get("finish_reason"), "tool_calls", begun.final)
        results = [{"role": "tool", "tool_call_id": begun.body["tool_calls"][0]["id"],
                    "content": "fog"}]
        for i, (other, next_model) in enumerate(THINKERS.items()):
            if i == 0:  # in the middle of the tool loop
                talk = self.talk(next_model, stream, messages=results, **how)
                self.assertEqual(talk.body.get("content"), "The tool said: fog.", talk.final)
            talk = self.talk(next_model, stream, prompt="What is my name?", **how)
            self.assertEqual(talk.body.get("content"), "Your name is Ada.",
                             f"{provider} to {other}: {talk.final}")


class Capabilities(EndToEnd):
    """What a model cannot do is refused before anything is sent, or done by one that can."""

    SIM = ("--key", "s1")
    KEYS = [key("a", "anthropic", ANTHROPIC, tags={"priority": "high"}),
            key("g", "gemini", GEMINI, tags={"priority": "low"})]
    JSON = {"type": "json_object"}

    def serving(self, models=None, keys=None):
        daemon = self.daemon(keys=keys or self.KEYS, secrets={"a": "s1", "g": "s1"}, start=False)
        config = json.loads(daemon.config.read_text())
        config["models"] = models or {}
        daemon.config.write_text(json.dumps(config))
        return self.client(daemon.start())

    def test_without_a_named_model_one_that_can_answers(self):
        client = self.serving()
        self.assertEqual(client.chat("hi")["body"]["key_id"], "a")
        reply = client.chat("hi", response_format=self.JSON)
        self.assertEqual(reply["body"]["key_id"], "g", reply)
        self.assertEqual(reply["body"]["attempts"], 1)

    def test_a_named_model_that_cannot_gives_way_where_fallback_is_allowed(self):
        client = self.serving()
        reply = client.chat("hi", response_format=self.JSON, model_preference=ANTHROPIC)
        self.assertEqual(reply["body"]["key_id"], "g", reply)
        self.assertTrue(reply["body"]["fallback"])
        reply = client.chat("hi", response_format=self.JSON, model_preference=ANTHROPIC,
                            allow_fallback=False)
        self.assertIn("json_object", self.assert_error(reply, "invalid_request")["message"])
        self.assertEqual(self.sim.requests(), 1)

    def test_the_capability_table_is_configured_by_model(self):
        client = self.serving({ANTHROPIC: {"capabilities": ["tools", "streaming"]}})
        picture = [{"role": "user", "content": [
            {"type": "image", "mime_type": "image/png", "data": png()}]}]
        reply = client.ask("chat", {"messages": picture})
        self.assertEqual(reply["body"]["key_id"], "g", reply)
        reply = client.ask("chat", {"messages": picture, "model_preference": ANTHROPIC,
                                    "allow_fallback": False})
        self.assertIn("images", self.assert_error(reply, "invalid_request")["message"])
        listed = {m["model"]: m["capabilities"] for m in client.ask("models")["body"]["models"]}
        self.assertEqual(listed[ANTHROPIC], ["tools", "streaming"])

    def test_a_picture_in_the_history_keeps_the_conversation_with_models_that_see(self):
        client = self.serving({ANTHROPIC: {"capabilities": ["tools", "streaming"]}})
        picture = [{"role": "user", "content": [
            {"type": "image", "mime_type": "image/png", "data": png()}]}]
        first = client.ask("chat", {"messages": picture, "conv_id": "c"})
        self.assertEqual(first["body"]["key_id"], "g", first)
        second = client.chat("and now?", conv_id="c")
        self.assertEqual(second["body"]["key_id"], "g", second)
        third = client.chat("and here?", conv_id="c", model_preference=ANTHROPIC,
                            allow_fallback=False)
        self.assert_error(third, "invalid_request")

    def test_a_fallback_never_drops_a_tool(self):
        client = self.serving({ANTHROPIC: {"capabilities": ["streaming"]}},
                              keys=[key("a", "anthropic", ANTHROPIC), key("g", rpm=1)])
        body = {"model_preference": GEMINI, "tools": [WEATHER], "max_wait_ms": 1000}
        self.assertEqual(client.chat("hi", **body)["body"]["key_id"], "g")
        self.assert_error(client.chat("hi", **body), "all_keys_exhausted")


if __name__ == "__main__":
    unittest.main()
