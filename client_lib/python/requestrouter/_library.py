"""librequestrouter.so by ctypes: the C interface of requestrouter.h, one to one."""

from __future__ import annotations

import ctypes
import functools
import os
import pathlib
from typing import Iterator

from .errors import RouterError

EVENT, REPLY, ERROR, TIMEOUT, ENDED = range(5)

_NAME = "librequestrouter.so.1"


class Options(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("endpoint", ctypes.c_char_p),
        ("connect_timeout_ms", ctypes.c_int64),
        ("reconnect_timeout_ms", ctypes.c_int64),
        ("max_payload_bytes", ctypes.c_uint64),
    ]


class CallOptions(ctypes.Structure):
    _fields_ = [
        ("size", ctypes.c_size_t),
        ("request_id", ctypes.c_char_p),
        ("deadline_ms", ctypes.c_int64),
        ("no_resend", ctypes.c_int32),
    ]


def _candidates() -> Iterator[str]:
    named = os.environ.get("REQUESTROUTER_LIBRARY")
    if named:
        yield named
        return
    beside = pathlib.Path(__file__).parent / _NAME
    if beside.exists():
        yield str(beside)
    yield _NAME


@functools.lru_cache(maxsize=None)
def load() -> ctypes.CDLL:
    """The library: REQUESTROUTER_LIBRARY, else beside this module, else as the loader finds it.

    Loaded by the first call, so that importing the module does no I/O and never fails, and an
    environment that is filled after the import counts.
    """
    problem = ""
    for path in _candidates():
        try:
            return _declare(ctypes.CDLL(path))
        # A file of that name that is something else lacks the functions.
        except (OSError, AttributeError) as error:
            problem = str(error)
    raise RouterError(
        f"cannot load {_NAME}: {problem}; install the package librequestrouter1, or name the file "
        "with REQUESTROUTER_LIBRARY"
    )


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    client = call = ctypes.c_void_p
    signatures = {
        "rr_version": (ctypes.c_char_p, []),
        "rr_client_new": (client, [ctypes.POINTER(Options)]),
        "rr_client_free": (None, [client]),
        "rr_call_start": (
            call,
            [client, ctypes.c_char_p, ctypes.c_char_p, ctypes.POINTER(CallOptions)],
        ),
        "rr_call_id": (ctypes.c_char_p, [call]),
        "rr_call_next": (
            ctypes.c_int,
            [call, ctypes.c_int64, ctypes.POINTER(ctypes.c_char_p)],
        ),
        "rr_call_fd": (ctypes.c_int, [call]),
        "rr_call_cancel": (None, [call]),
        "rr_call_free": (None, [call]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    return library
