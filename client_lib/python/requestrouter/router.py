"""RequestRouter: what an agent uses."""

from __future__ import annotations

import inspect
import os
import secrets
from typing import (
    Any,
    AsyncIterator,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Union,
)

from . import _direct, _fallback, _results
from ._call import Call, Connection
from .errors import RouterError

DEFAULT_TIMEOUT = 600.0
"""Seconds that a chat may take, waiting for capacity included."""

_QUERY_TIMEOUT = 30.0
_HEALTH_TIMEOUT = 5.0

Result = Dict[str, Any]
_AnyCall = Union[Call, _direct.DirectCall, _fallback.FallbackCall]


class _Chat(NamedTuple):
    """What send_chat was asked."""

    conv_id: Optional[str]
    body: Dict[str, Any]
    request_id: Optional[str]
    timeout: float

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> "_Chat":
        rest = dict(arguments)
        del rest["self"]
        conv_id, prompt = rest.pop("conv_id"), rest.pop("prompt")
        request_id, timeout = rest.pop("request_id"), rest.pop("timeout")
        if not rest["stream"]:
            del rest["stream"]
        return cls(conv_id, _results.chat_body(conv_id, prompt, rest), request_id, timeout)


class RequestRouter:
    """A client of routerd. Usable from any thread, from asyncio, and after a fork.

    Making one does no I/O; the first call connects. `send_chat`, `send_one_shot`, their async forms
    and `health_check` never raise for a failed request but tell it in their result; the others raise
    RouterError. `timeout` is in seconds everywhere.

    While LLM_MULTI_KEY_ROUTER_ENABLED is false in the environment, read at each call, chats go to
    the provider directly: one attempt, no waiting for quota, and conversations in this process's
    memory (a forked child begins without them). Results have the same fields, `key_id` "direct"
    and `persisted` False.

    With `allow_direct` chats go there too while no daemon answers, each after `connect_timeout`; the
    result's `warnings` say so. Not with on_unknown "fail": the daemon may have sent such a chat.
    """

    def __init__(
        self,
        endpoint: Optional[str] = None,
        connect_timeout: float = 2.0,
        *,
        api_key: Optional[str] = None,
        provider: Optional[str] = None,
        allow_direct: Optional[bool] = None,
    ) -> None:
        """`endpoint`: None for REQUESTROUTER_ENDPOINT, else the user's, else the system's socket.

        `connect_timeout`: how long a call waits for a daemon that has not been reached yet.
        `api_key` and `provider` ("gemini", "openai", "anthropic") are direct mode's. None: the key
        of the provider's usual variable, such as GEMINI_API_KEY, and the provider of the model.
        `allow_direct`: None for REQUESTROUTER_ALLOW_DIRECT, read at each call; unset means no.
        """
        self._endpoint = endpoint
        self._connect_timeout = connect_timeout
        self._api_key = api_key
        self._provider = provider
        self._allow_direct = allow_direct

    # Chats

    def send_chat(
        self,
        conv_id: Optional[str],
        prompt: Optional[str] = None,
        model_preference: Optional[str] = None,
        expected_completion_tokens: Optional[int] = None,
        max_output_tokens: Optional[int] = None,
        temperature: Optional[float] = None,
        system_prompt: Optional[str] = None,
        workload: Optional[str] = None,
        *,
        stream: bool = False,
        user_id: Optional[str] = None,
        agent: Optional[str] = None,
        metadata: Optional[Mapping[str, Any]] = None,
        messages: Optional[Sequence[Mapping[str, Any]]] = None,
        allow_fallback: Optional[bool] = None,
        top_p: Optional[float] = None,
        stop: Optional[Sequence[str]] = None,
        seed: Optional[int] = None,
        response_format: Optional[Mapping[str, Any]] = None,
        tools: Optional[Sequence[Mapping[str, Any]]] = None,
        tool_choice: Union[str, Mapping[str, Any], None] = None,
        reasoning: Optional[Mapping[str, Any]] = None,
        provider_options: Optional[Mapping[str, Any]] = None,
        on_unknown: Optional[str] = None,
        priority: Optional[str] = None,
        max_wait_ms: Optional[int] = None,
        progress: Optional[bool] = None,
        request_id: Optional[str] = None,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> Any:
        """Sends the user's turn and returns the answer as a dictionary.

        The fields are those of `chat` in PROTOCOL.md; None leaves a field to the daemon. The result
        has `success`, `content` (always a str), `model`, `key_id`, `tokens`, `conversation_id`,
        `error` and `error_type` (both None on success), and the rest of the reply. An image's `data`
        in `messages` is bytes.

        With `stream=True` it returns an iterator instead: dictionaries with `final` and `delta` (the
        next piece of text; `reasoning`, `tool_call` and `progress` where present), and as the last
        one, `final` true, the result. Closing the iterator early cancels the request.
        """
        chat = _Chat.of(locals())
        return self._stream(chat) if stream else self._chat(chat)

    def send_one_shot(self, prompt: Optional[str] = None, **options: Any) -> Any:
        """As send_chat without a conversation: nothing is remembered."""
        return self.send_chat(None, prompt, **options)

    def asend_chat(
        self, conv_id: Optional[str], prompt: Optional[str] = None, *args: Any, **options: Any
    ) -> Any:
        """As send_chat, with its arguments, for asyncio: to be awaited, or with `stream=True`
        iterated with `async for`. Cancelling the task cancels the request.
        """
        bound = _SEND_CHAT.bind(self, conv_id, prompt, *args, **options)
        bound.apply_defaults()
        chat = _Chat.of(bound.arguments)
        return self._astream(chat) if bound.arguments["stream"] else self._achat(chat)

    # Conversations

    def get_conversation(self, conv_id: str, limit: Optional[int] = None) -> Result:
        """`messages` (oldest first), `metadata` and, where set, `system_prompt`.

        An unknown conversation has no messages and no metadata.
        """
        body: Dict[str, Any] = {"conv_id": conv_id}
        if limit is not None:
            body["limit"] = limit
        try:
            return self.call("conversation.get", body)
        except RouterError as error:
            if error.error_type != "not_found":
                raise
            return _results.no_conversation(conv_id)

    def list_conversations(
        self, prefix: str = "", user_id: str = "", limit: int = 100, after: str = ""
    ) -> Result:
        """`conversations`, and `next` where there are more: give it as `after`."""
        body: Dict[str, Any] = {"limit": limit}
        optional = {"prefix": prefix, "user_id": user_id, "after": after}
        body.update({name: value for name, value in optional.items() if value})
        return self.call("conversation.list", body)

    def truncate_conversation(self, conv_id: str, keep_last_n: int = 20) -> Result:
        """Keeps at most the last messages, whole turns; `removed` and `message_count`."""
        try:
            return self.call(
                "conversation.truncate", {"conv_id": conv_id, "keep_last_n": keep_last_n}
            )
        except RouterError as error:
            if error.error_type != "not_found":
                raise
            return {"removed": 0, "message_count": 0}

    def delete_conversation(self, conv_id: str) -> bool:
        """False: there was none."""
        try:
            return bool(self.call("conversation.delete", {"conv_id": conv_id}).get("deleted"))
        except RouterError as error:
            if error.error_type != "not_found":
                raise
            return False

    # The router

    def health_check(self) -> Result:
        """`healthy`, `key_manager`, `conversation_store`, `redis`, `timestamp`, …

        Without a daemon: unhealthy, with `error` and `error_type`. In direct mode: whether there is a
        key.
        """
        try:
            return _results.health(self.call("health", timeout=_HEALTH_TIMEOUT, resend=False))
        except RouterError as error:
            return _results.no_health(error)

    def list_models(self) -> List[Dict[str, Any]]:
        return list(self.call("models").get("models", []))

    def cancel(self, request_id: str) -> bool:
        """Cancels a chat of this user. False: it is not running."""
        return bool(self.call("cancel", {"id": request_id}).get("cancelled"))

    def call(
        self,
        op: str,
        body: Optional[Mapping[str, Any]] = None,
        timeout: float = _QUERY_TIMEOUT,
        resend: bool = True,
    ) -> Result:
        """Any operation of PROTOCOL.md: its body to the reply's. Raises RouterError."""
        return self._start(op, body or {}, None, timeout, resend).result()

    # The four forms of a chat

    def _chat(self, chat: _Chat) -> Result:
        try:
            return _results.success(self._start_chat(chat).result(), chat.conv_id)
        except RouterError as error:
            return _results.failure(error, chat.conv_id)

    def _stream(self, chat: _Chat) -> Iterator[Result]:
        call: Optional[_AnyCall] = None
        try:
            call = self._start_chat(chat)
            for final, body in call.messages():
                yield _item(final, body, chat)
        except RouterError as error:
            yield _results.last(_results.failure(error, chat.conv_id))
        finally:
            if call:
                call.close()

    async def _achat(self, chat: _Chat) -> Result:
        call: Optional[_AnyCall] = None
        try:
            call = self._start_chat(chat)
            reply: Dict[str, Any] = {}
            async for _, reply in call.amessages():
                pass
            return _results.success(reply, chat.conv_id)
        except RouterError as error:
            return _results.failure(error, chat.conv_id)
        finally:
            if call:
                call.close()

    async def _astream(self, chat: _Chat) -> AsyncIterator[Result]:
        call: Optional[_AnyCall] = None
        try:
            call = self._start_chat(chat)
            async for final, body in call.amessages():
                yield _item(final, body, chat)
        except RouterError as error:
            yield _results.last(_results.failure(error, chat.conv_id))
        finally:
            if call:
                call.close()

    def _start_chat(self, chat: _Chat) -> _AnyCall:
        call = self._start("chat", chat.body, chat.request_id, chat.timeout)
        may_be_resent = chat.body.get("on_unknown") != "fail"
        if isinstance(call, _direct.DirectCall) or not may_be_resent:
            return call
        if not _fallback.allowed(self._allow_direct):
            return call
        return _fallback.FallbackCall(
            call,
            lambda left: _direct.DirectCall(self._own_direct(), "chat", chat.body, left),
            chat.timeout,
        )

    def _start(
        self,
        op: str,
        body: Mapping[str, Any],
        request_id: Optional[str],
        timeout: float,
        resend: bool = True,
    ) -> Union[Call, _direct.DirectCall]:
        if _direct.wanted():
            return _direct.DirectCall(self._own_direct(), op, body, timeout)
        connection = self.__dict__.get("_connection")
        if connection is None:
            # Atomic and without a lock, which a fork could leave held in the child.
            connection = self.__dict__.setdefault(
                "_connection", Connection(self._endpoint, self._connect_timeout)
            )
        return connection.start(op, body, timeout, request_id, resend)

    def _own_direct(self) -> _direct.Direct:
        """This process's: a child of a fork has none of its parent's threads."""
        name = f"_direct_{os.getpid()}"
        direct = self.__dict__.get(name)
        if direct is None:
            direct = self.__dict__.setdefault(name, _direct.Direct(self._api_key, self._provider))
        return direct


_SEND_CHAT = inspect.signature(RequestRouter.send_chat)


def _item(final: bool, body: Mapping[str, Any], chat: _Chat) -> Result:
    if final:
        return _results.last(_results.success(body, chat.conv_id))
    return _results.event(body)


_singletons: Dict[str, RequestRouter] = {}


def get_request_router(key_manager: Any = None, conv_store: Any = None) -> RequestRouter:
    """The process's RequestRouter. Does no I/O and never raises.

    The arguments are those of the in-process router it replaces and are not used: keys and
    conversations are the daemon's.
    """
    del key_manager, conv_store
    return _singletons.setdefault("router", RequestRouter())


def new_conversation_id(role: str, agent: str = "") -> str:
    """`planner_{8 hex}`; with an agent `coder_{agent}_{8 hex}`."""
    return "_".join(part for part in (role, agent, secrets.token_hex(4)) if part)
