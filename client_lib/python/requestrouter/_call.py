"""A connection and the requests on it, over the C interface."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import json
import select
from typing import Any, AsyncIterator, Dict, Iterator, Mapping, Optional, Tuple

from . import _library
from .errors import RouterError, error_from

# One message of an answer: whether it is the last, and its body.
Message = Tuple[bool, Dict[str, Any]]


class Connection:
    """An rr_client. Any thread; after a fork the child goes on with a connection of its own."""

    def __init__(self, endpoint: Optional[str], connect_timeout: float) -> None:
        self._library = _library.load()
        options = _library.Options(
            size=ctypes.sizeof(_library.Options),
            endpoint=to_text(endpoint, "the endpoint") if endpoint else None,
            connect_timeout_ms=to_ms(connect_timeout),
        )
        self._handle = self._library.rr_client_new(ctypes.byref(options))
        if not self._handle:
            raise MemoryError("rr_client_new")

    def __del__(self) -> None:
        handle, self._handle = getattr(self, "_handle", None), None
        if handle:
            self._library.rr_client_free(handle)

    def start(
        self,
        op: str,
        body: Mapping[str, Any],
        timeout: float,
        request_id: Optional[str] = None,
        resend: bool = True,
    ) -> "Call":
        """Starts a request; does not wait. Raises RouterError for what JSON cannot express."""
        options = _library.CallOptions(
            size=ctypes.sizeof(_library.CallOptions),
            request_id=to_text(request_id, "the request id") if request_id else None,
            deadline_ms=to_ms(timeout),
            no_resend=0 if resend else 1,
        )
        handle = self._library.rr_call_start(
            self._handle, to_text(op, "the operation"), _to_json(body), ctypes.byref(options)
        )
        if not handle:
            raise MemoryError("rr_call_start")
        return Call(self, self._library, handle)


class Call:
    """An rr_call: one request and the messages of its answer. One thread at a time."""

    def __init__(self, connection: Connection, library: ctypes.CDLL, handle: int) -> None:
        self._connection = connection  # kept, because freeing it ends its calls
        self._library = library
        self._handle: Optional[int] = handle

    def __del__(self) -> None:
        self.close()

    @property
    def request_id(self) -> str:
        return self._library.rr_call_id(self._handle).decode()

    def close(self) -> None:
        """Frees it; a request that has not ended is cancelled."""
        handle, self._handle = self._handle, None
        if handle:
            self._library.rr_call_free(handle)

    def messages(self) -> Iterator[Message]:
        """Waits for the messages. Raises RouterError for the error that ends them."""
        # Waiting is left to Python, so that Ctrl-C and other signals are handled meanwhile.
        waiter = select.poll()
        descriptor = self._library.rr_call_fd(self._handle)
        if descriptor >= 0:
            waiter.register(descriptor, select.POLLIN)
        final = False
        while not final:
            message = self._next(0)
            if message is None and descriptor >= 0:
                waiter.poll()
            elif message is None:
                message = self._next(-1)
            if message is not None:
                final = message[0]
                yield message

    async def amessages(self) -> AsyncIterator[Message]:
        """As messages, without blocking the event loop."""
        descriptor = self._library.rr_call_fd(self._handle)
        if descriptor < 0:
            raise RouterError("out of file descriptors")
        final = False
        while not final:
            message = self._next(0)
            if message is None:
                await _readable(descriptor)
            else:
                final = message[0]
                yield message

    def result(self) -> Dict[str, Any]:
        """The final body."""
        try:
            for final, body in self.messages():
                if final:
                    return body
            raise RouterError("the answer has no end")
        finally:
            self.close()

    def _next(self, timeout_ms: int) -> Optional[Message]:
        text = ctypes.c_char_p()
        status = self._library.rr_call_next(self._handle, timeout_ms, ctypes.byref(text))
        if status == _library.TIMEOUT:
            return None
        body = _from_json(text.value or b"{}")
        if status == _library.ERROR:
            raise error_from(body)
        return status != _library.EVENT, body


async def _readable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready: "asyncio.Future[None]" = loop.create_future()
    loop.add_reader(descriptor, lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_reader(descriptor)


def to_text(text: str, name: str) -> bytes:
    """For C, where a NUL would end it. Raises RouterError."""
    try:
        data = text.encode()
    except (AttributeError, UnicodeEncodeError) as error:
        raise RouterError(f"{name} is not text: {error}", "invalid_request") from error
    if b"\0" in data:
        raise RouterError(f"{name} holds a NUL", "invalid_request")
    return data


def to_ms(seconds: float) -> int:
    """Whole milliseconds, 1 at least. Raises RouterError."""
    try:
        milliseconds = int(seconds * 1000)
    except (TypeError, ValueError, OverflowError) as error:
        raise RouterError(f"{seconds!r} is no number of seconds", "invalid_request") from error
    return min(max(1, milliseconds), 2**62)


def _to_json(body: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(_encode_bytes(body), allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RouterError(f"the request is not JSON: {error}", "invalid_request") from error


def _from_json(text: bytes) -> Dict[str, Any]:
    return json.loads(text, object_hook=_decode_bytes)


def _encode_bytes(value: Any) -> Any:
    """Bytes, such as an image's data, as base64 text under NAME_base64."""
    if isinstance(value, Mapping):
        encoded = {}
        for name, item in value.items():
            if isinstance(item, (bytes, bytearray, memoryview)):
                encoded[f"{name}_base64"] = base64.b64encode(item).decode()
            else:
                encoded[name] = _encode_bytes(item)
        return encoded
    if isinstance(value, (list, tuple)):
        return [_encode_bytes(item) for item in value]
    return value


def _decode_bytes(value: Dict[str, Any]) -> Dict[str, Any]:
    text = value.get("data_base64")
    if isinstance(text, str):
        del value["data_base64"]
        value["data"] = base64.b64decode(text)
    return value
