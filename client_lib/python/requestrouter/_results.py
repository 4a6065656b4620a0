"""The dictionaries that agents read, from bodies and errors of the wire."""

from __future__ import annotations

import datetime
from typing import Any, Dict, Mapping, Optional

from .errors import RouterError


def chat_body(conv_id: Optional[str], prompt: Optional[str], fields: Mapping[str, Any]) -> Dict[str, Any]:
    """The body of a chat: what is None is left to the daemon."""
    body = {name: value for name, value in fields.items() if value is not None}
    if conv_id:
        body["conv_id"] = conv_id
    # An empty prompt is the daemon's to refuse, unless there are messages instead.
    if prompt or "messages" not in body:
        body["prompt"] = prompt or ""
    return body


def success(body: Mapping[str, Any], conv_id: Optional[str]) -> Dict[str, Any]:
    result = dict(body)
    result.setdefault("success", True)
    result["content"] = result.get("content") or ""
    result["conversation_id"] = result.get("conversation_id") or conv_id or ""
    result["error"] = None
    result["error_type"] = None
    return result


def failure(error: RouterError, conv_id: Optional[str]) -> Dict[str, Any]:
    result: Dict[str, Any] = {
        "success": False,
        "content": error.partial_content,
        "model": "",
        "key_id": "",
        "tokens": {"input": 0, "output": 0, "total": 0, "cached": 0, "reasoning": 0},
        "conversation_id": conv_id or "",
        "error": error.message or error.error_type,
        "error_type": error.error_type,
        "retryable": error.retryable,
        "details": error.details,
    }
    if error.retry_after_ms is not None:
        result["retry_after_ms"] = error.retry_after_ms
    return result


def event(body: Mapping[str, Any]) -> Dict[str, Any]:
    """One item of a stream before the last."""
    delta = body.get("delta") or {}
    item: Dict[str, Any] = {"final": False, "delta": delta.get("text", "")}
    for name in ("reasoning", "tool_call"):
        if name in delta:
            item[name] = delta[name]
    if "progress" in body:
        item["progress"] = body["progress"]
    return item


def last(result: Dict[str, Any]) -> Dict[str, Any]:
    """The last item of a stream: the result as without streaming."""
    return {"final": True, "delta": "", **result}


def health(body: Mapping[str, Any]) -> Dict[str, Any]:
    result = dict(body)
    # Dashboards of the Redis-based predecessor read the storage's health under this name.
    result["redis"] = bool((body.get("storage") or {}).get("healthy", False))
    return result


def no_health(error: RouterError) -> Dict[str, Any]:
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "healthy": False,
        "key_manager": {
            "healthy": False,
            "total_keys": 0,
            "active_keys": 0,
            "keys_in_cooldown": 0,
        },
        "conversation_store": False,
        "redis": False,
        "timestamp": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "error": error.message,
        "error_type": error.error_type,
    }


def no_conversation(conv_id: str) -> Dict[str, Any]:
    return {"conv_id": conv_id, "messages": [], "metadata": {}}
