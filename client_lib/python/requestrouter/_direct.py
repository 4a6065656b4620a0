"""Direct mode: librequestrouter_direct.so by ctypes. See requestrouter_direct.h."""

from __future__ import annotations

import asyncio
import ctypes
import functools
import os
import pathlib
import queue
import threading
from typing import Any, AsyncIterator, Callable, Dict, Iterator, Mapping, Optional, Tuple

from ._call import Message, _from_json, _to_json, to_ms, to_text
from .errors import RouterError, error_from

_NAME = "librequestrouter_direct.so.1"
_EVENT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)

OnBody = Callable[[Dict[str, Any]], bool]


def wanted() -> bool:
    """Whether LLM_MULTI_KEY_ROUTER_ENABLED switches the router off, as it is set now."""
    value = os.environ.get("LLM_MULTI_KEY_ROUTER_ENABLED", "")
    return value.strip().lower() in ("false", "0", "no", "off")


def _candidates() -> Iterator[str]:
    named = os.environ.get("REQUESTROUTER_LIBRARY")
    for folder in (pathlib.Path(named).parent if named else None, pathlib.Path(__file__).parent):
        if folder and (folder / _NAME).exists():
            yield str(folder / _NAME)
    yield _NAME


@functools.lru_cache(maxsize=None)
def _load() -> ctypes.CDLL:
    """The library: beside the one REQUESTROUTER_LIBRARY names, beside this module, by the loader."""
    problem = ""
    for path in _candidates():
        try:
            return _declare(ctypes.CDLL(path))
        except (OSError, AttributeError) as error:
            problem = str(error)
    raise RouterError(
        f"cannot load {_NAME}, which direct mode needs: {problem}; install the package "
        "librequestrouter-direct1, or put it beside librequestrouter.so.1"
    )


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    library.rr_direct_new.restype = ctypes.c_void_p
    library.rr_direct_new.argtypes = [ctypes.c_char_p, ctypes.c_char_p]
    library.rr_direct_free.restype = None
    library.rr_direct_free.argtypes = [ctypes.c_void_p]
    library.rr_direct_call.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int64, _EVENT,
        ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p),
    ]
    library.rr_direct_text_free.restype = None
    library.rr_direct_text_free.argtypes = [ctypes.c_void_p]
    return library


class Direct:
    """An rr_direct: calls a provider itself. Any thread; one process (see RequestRouter)."""

    def __init__(self, api_key: Optional[str], provider: Optional[str]) -> None:
        self._handle: Optional[int] = None
        self._process = os.getpid()
        self._library = _load()
        self._handle = self._library.rr_direct_new(
            to_text(api_key, "the API key") if api_key else None,
            to_text(provider, "the provider") if provider else None,
        )
        if not self._handle:
            raise MemoryError("rr_direct_new")

    def __del__(self) -> None:
        # Its thread does not exist in the child of a fork, where joining it would hang.
        if self._handle and self._process == os.getpid():
            self._library.rr_direct_free(self._handle)

    def call(
        self, op: str, body: Mapping[str, Any], timeout: float, on_body: Optional[OnBody] = None
    ) -> Dict[str, Any]:
        """The reply's body. `on_body` gets the messages before it, on this thread."""
        forward = _EVENT()
        if on_body:
            forward = _EVENT(lambda _, text: int(on_body(_from_json(text))))
        text = ctypes.c_void_p()
        failed = self._library.rr_direct_call(
            self._handle, to_text(op, "the operation"), _to_json(body), to_ms(timeout), forward,
            None, ctypes.byref(text),
        )
        try:
            answer = _from_json(ctypes.string_at(text.value) if text.value else b"{}")
        finally:
            self._library.rr_direct_text_free(text)
        if failed:
            raise error_from(answer)
        return answer

    def messages(self, body: Mapping[str, Any], timeout: float) -> Iterator[Message]:
        """A streamed chat. Closing the iterator early cancels it."""
        items: "queue.Queue[Tuple[str, Any]]" = queue.Queue()
        left = threading.Event()

        def on_body(piece: Dict[str, Any]) -> bool:
            items.put(("piece", piece))
            return not left.is_set()

        def run() -> None:
            try:
                items.put(("reply", self.call("chat", body, timeout, on_body)))
            except BaseException as error:  # handed to the thread that waits
                items.put(("error", error))

        threading.Thread(target=run, daemon=True).start()
        try:
            kind = ""
            while kind != "reply":
                kind, item = items.get()
                if kind == "error":
                    raise item
                yield kind == "reply", item
        finally:
            left.set()


class DirectCall:
    """A request and its answer, with the methods of a Call."""

    def __init__(self, direct: Direct, op: str, body: Mapping[str, Any], timeout: float) -> None:
        self._direct, self._op, self._body, self._timeout = direct, op, body, timeout

    def result(self) -> Dict[str, Any]:
        return self._direct.call(self._op, self._body, self._timeout)

    def messages(self) -> Iterator[Message]:
        return self._direct.messages(self._body, self._timeout)

    async def amessages(self) -> AsyncIterator[Message]:
        loop = asyncio.get_running_loop()
        messages = self.messages()
        message: Optional[Message] = (False, {})
        while message and not message[0]:
            message = await loop.run_in_executor(None, next, messages, None)
            if message:
                yield message

    def close(self) -> None:
        pass
