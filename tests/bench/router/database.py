"""A daemon's folder with many stored messages, written with SQL into the schema that it makes."""

import sqlite3
import time

from report import say
from targets import Routerd

EACH = 10  # messages of a conversation
TEXT = "What a person asks, or a model answers, in a line or two of about this length. " * 3


def filled(bench, count):
    """A folder with `count` messages in conversations of the last day. Made once in a run; daemons
    may use it one after the other."""
    folder = bench.folder / f"messages-{count}"
    if folder.exists():
        return folder
    Routerd(folder, bench.upstream).stop()
    path = next((folder / "state").glob("*.db"))
    say(f"writing {count:,} messages to a database")
    now = int(time.time() * 1000)
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA synchronous = OFF")
        database.executemany(
            "INSERT INTO conversations (id, uid, conv_id, created_at, updated_at, expires_at,"
            " message_count, next_seq, total_tokens, last_model, last_key_id, user_id,"
            " sweep_at) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, 600, 'gpt-5-mini', 'k1', '', ?5)",
            ((number, f"stored-{number:08}", now - 3_600_000, now - number % 3_600_000,
              now - number % 3_600_000 + 86_400_000, EACH, EACH)
             for number in range(1, count // EACH + 1)))
        database.executemany(
            "INSERT INTO messages VALUES (?, ?, ?, x'', ?, 60, 'gpt-5-mini', 'k1', 0)",
            (((number // EACH + 1) * 2**24 + number % EACH,
              ("user", "assistant")[number % 2], TEXT, now)
             for number in range(count)))
    database.close()
    return folder
