"""A chat that goes to the provider itself where no daemon answers, because its caller allows that."""

from __future__ import annotations

import os
import time
from typing import Any, AsyncIterator, Callable, Dict, Iterator, Optional, Union

from ._call import Call, Message
from ._direct import DirectCall
from .errors import RouterError

WARNING = (
    "no daemon answered: the provider was called directly, and the daemon does not have this turn"
)


def allowed(given: Optional[bool]) -> bool:
    """What the caller said; None: whether REQUESTROUTER_ALLOW_DIRECT is true, as it is set now."""
    if given is not None:
        return given
    value = os.environ.get("REQUESTROUTER_ALLOW_DIRECT", "")
    return value.strip().lower() in ("true", "1", "yes", "on")


class FallbackCall:
    """A request and its answer, with the methods of a Call.

    `call_provider` begins the direct call, given the seconds that are left. It is used for the error
    `no_daemon` alone: a stream that has begun ends otherwise.
    """

    def __init__(
        self, call: Call, call_provider: Callable[[float], DirectCall], timeout: float
    ) -> None:
        self._call: Union[Call, DirectCall] = call
        self._call_provider = call_provider
        self._deadline = time.monotonic() + timeout

    def result(self) -> Dict[str, Any]:
        try:
            return self._call.result()
        except RouterError as error:
            return _warned(self._fall_back(error).result())

    def messages(self) -> Iterator[Message]:
        try:
            yield from self._call.messages()
        except RouterError as error:
            for final, body in self._fall_back(error).messages():
                yield final, _warned(body) if final else body

    async def amessages(self) -> AsyncIterator[Message]:
        try:
            async for message in self._call.amessages():
                yield message
        except RouterError as error:
            async for final, body in self._fall_back(error).amessages():
                yield final, _warned(body) if final else body

    def close(self) -> None:
        self._call.close()

    def _fall_back(self, error: RouterError) -> DirectCall:
        left = self._deadline - time.monotonic()
        if error.error_type != "no_daemon" or left <= 0:
            raise error
        self._call.close()
        self._call = call = self._call_provider(left)
        return call


def _warned(body: Dict[str, Any]) -> Dict[str, Any]:
    return {**body, "warnings": [*body.get("warnings", []), WARNING]}
