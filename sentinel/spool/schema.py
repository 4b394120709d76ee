"""The tables of the spool's database, and the names that stand in them."""

from sentinel.errors import TerminalError, TransientError
from sentinel.streams import ANOMALIES, EVENTS

__all__ = [
    "APPLICATION_ID",
    "COUNTING_READERS",
    "DDL",
    "LATER",
    "READER_STREAMS",
    "STREAMS",
    "TABLES",
    "VERSION",
    "DeadLettersFullError",
    "LeaseLostError",
    "SpoolDamagedError",
]

APPLICATION_ID = 0x4C536E74  # "LSnt", in the file's header
VERSION = 1

STREAMS = (EVENTS, ANOMALIES)
"""The streams; `batches.columns_of` has the columns a frame of each has."""

READER_STREAMS = {"deliver": EVENTS, "deliver-anomalies": ANOMALIES, "detect": EVENTS, "alert": ANOMALIES}
"""The readers that move, and the stream each moves in. Any other name is only a lock."""

COUNTING_READERS = {EVENTS: "deliver", ANOMALIES: "deliver-anomalies"}
"""The one reader of each stream whose moves are deliveries, and so change the ledger."""


class SpoolDamagedError(TerminalError):
    """The database file itself is damaged; `sentinel spool repair` makes a new one of what can be read."""


class LeaseLostError(TerminalError):
    """The lease has been given back or taken over: what its holder still wanted to do must not happen."""


class DeadLettersFullError(TransientError):
    """The dead letters have reached their bound; delivery waits until some are dropped or replayed."""


# Tables that came after the first release are made after all others and their indexes, since a repair puts the first
# page of a new spool in the place of a damaged one: what stood on the pages behind it must stand there in every spool.
LATER = {
    "incidents": """id TEXT PRIMARY KEY, first_s REAL NOT NULL, last_s REAL NOT NULL, state TEXT NOT NULL,
        version INTEGER NOT NULL, delivered INTEGER NOT NULL, content BLOB NOT NULL""",
}

# Blobs stand last in their rows, so that the columns before them can be read though a page of the blob is damaged.
TABLES = {
    "meta": "name TEXT PRIMARY KEY, value TEXT NOT NULL",
    "streams": """name TEXT PRIMARY KEY, next_sequence INTEGER NOT NULL, received INTEGER NOT NULL,
        waiting_bytes INTEGER NOT NULL, letter_bytes INTEGER NOT NULL""",
    "batches": """id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        count INTEGER NOT NULL, crc INTEGER NOT NULL, bytes INTEGER NOT NULL, frame_bytes INTEGER NOT NULL,
        received_s REAL NOT NULL, sources TEXT NOT NULL, codes BLOB NOT NULL, blob BLOB NOT NULL""",
    "readers": """name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, attempts INTEGER NOT NULL,
        next_attempt_s REAL NOT NULL, error TEXT, updated_s REAL NOT NULL, token INTEGER NOT NULL, holder TEXT""",
    "books": """stream TEXT NOT NULL, source TEXT NOT NULL, accepted INTEGER NOT NULL, waiting INTEGER NOT NULL,
        delivered INTEGER NOT NULL, dead INTEGER NOT NULL, PRIMARY KEY (stream, source)""",
    "rejected": "source TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (source, reason)",
    "letters": """id INTEGER PRIMARY KEY, stream TEXT NOT NULL, sequence INTEGER NOT NULL, state TEXT NOT NULL,
        source TEXT NOT NULL, event_id TEXT, reason TEXT NOT NULL, attempts INTEGER NOT NULL, received_s REAL NOT NULL,
        died_s REAL NOT NULL, changed_s REAL NOT NULL, crc INTEGER NOT NULL, bytes INTEGER NOT NULL,
        blob BLOB NOT NULL""",
    "quarantine": """id INTEGER PRIMARY KEY, stream TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        dead INTEGER NOT NULL, reason TEXT NOT NULL, at_s REAL NOT NULL, sources TEXT NOT NULL, blob BLOB""",
    "checkpoints": """generation TEXT PRIMARY KEY, path TEXT NOT NULL, device INTEGER NOT NULL, inode INTEGER NOT NULL,
        offset INTEGER NOT NULL, head_bytes INTEGER NOT NULL, head_hash TEXT NOT NULL, guard_bytes INTEGER NOT NULL,
        guard_hash TEXT NOT NULL, state TEXT NOT NULL, updated_s REAL NOT NULL""",
    "answers": """id INTEGER PRIMARY KEY, client TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
        at_s REAL NOT NULL, answer BLOB NOT NULL""",
    "blobs": "name TEXT PRIMARY KEY, crc INTEGER NOT NULL, updated_s REAL NOT NULL, blob BLOB NOT NULL",
    "scored": """version TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
        PRIMARY KEY (version, first)""",
    **LATER,
}

INDEXES = (
    "CREATE UNIQUE INDEX IF NOT EXISTS batches_last ON batches (stream, last)",
    "CREATE UNIQUE INDEX IF NOT EXISTS letters_sequence ON letters (stream, sequence)",
    "CREATE INDEX IF NOT EXISTS letters_state ON letters (stream, state, sequence)",
    "CREATE UNIQUE INDEX IF NOT EXISTS quarantine_last ON quarantine (stream, last)",
    "CREATE UNIQUE INDEX IF NOT EXISTS answers_key ON answers (client, key)",
    "CREATE INDEX IF NOT EXISTS answers_at ON answers (at_s)",
)

ROWS = (
    *(f"INSERT OR IGNORE INTO streams VALUES ('{name}', 1, 0, 0, 0)" for name in STREAMS),  # noqa: S608 our names
    *(f"INSERT OR IGNORE INTO readers VALUES ('{name}', 0, 0, 0, NULL, 0, 0, NULL)" for name in READER_STREAMS),  # noqa: S608 our names
)

DDL = (
    *(f"CREATE TABLE IF NOT EXISTS {name} ({columns})" for name, columns in TABLES.items() if name not in LATER),
    *INDEXES,
    *(f"CREATE TABLE IF NOT EXISTS {name} ({columns})" for name, columns in LATER.items()),
    "CREATE INDEX IF NOT EXISTS incidents_last ON incidents (last_s)",
    *ROWS,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {VERSION}",
)
"""What makes an empty database a spool; harmless on one that is a spool already."""
