"""What a failed call raises, where it raises at all: see RequestRouter."""

from __future__ import annotations

from typing import Any, Mapping, Optional


class RouterError(Exception):
    """A failed request.

    `error_type` is the wire's (see PROTOCOL.md), or `no_daemon` where nothing answers, or
    `client_closed` where the client was closed while the call ran.
    """

    def __init__(
        self,
        message: str,
        error_type: str = "internal_error",
        retryable: bool = False,
        retry_after_ms: Optional[int] = None,
        details: Optional[Mapping[str, Any]] = None,
        partial_content: str = "",
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.error_type = error_type
        self.retryable = retryable
        self.retry_after_ms = retry_after_ms
        self.details = dict(details or {})
        self.partial_content = partial_content
        self.request_id = request_id


class AllKeysExhaustedError(RouterError):
    """No key has capacity before the deadline; try again after `retry_after_ms`."""


def error_from(error: Mapping[str, Any]) -> RouterError:
    """The exception for the wire's `error` map."""
    error_type = str(error.get("type", "internal_error"))
    kind = AllKeysExhaustedError if error_type == "all_keys_exhausted" else RouterError
    return kind(
        str(error.get("message", "")),
        error_type=error_type,
        retryable=bool(error.get("retryable", False)),
        retry_after_ms=error.get("retry_after_ms"),
        details=error.get("details"),
        partial_content=str(error.get("partial_content", "")),
        request_id=str(error.get("request_id", "")),
    )
