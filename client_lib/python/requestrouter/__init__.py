"""Client of requestrouter, the per-host router of LLM requests.

    from requestrouter import get_request_router

    router = get_request_router()
    answer = router.send_chat("planner_1a2b3c4d", "Plan the day")
    print(answer["content"] if answer["success"] else answer["error"])
"""

from ._version import __version__
from .errors import AllKeysExhaustedError, RouterError
from .router import DEFAULT_TIMEOUT, RequestRouter, get_request_router, new_conversation_id

__all__ = [
    "AllKeysExhaustedError",
    "DEFAULT_TIMEOUT",
    "RequestRouter",
    "RouterError",
    "__version__",
    "get_request_router",
    "new_conversation_id",
]
