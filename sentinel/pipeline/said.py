"""What people said, as it is kept in the spool: verdicts and thresholds, read and written; applied in `words`."""

from collections.abc import Sequence

import msgspec

from sentinel.incidents.feedback import Word
from sentinel.incidents.loudness import Loudness
from sentinel.spool import Spool, Transaction

__all__ = ["read_loudness", "read_words", "write_loudness", "write_words"]

FEEDBACK, THRESHOLD = "feedback", "threshold"


def read_words(spool: Spool) -> list[Word]:
    """All verdicts that are kept, the oldest first."""
    kept = spool.blob(FEEDBACK)
    return msgspec.json.decode(kept, type=list[Word]) if kept else []


def write_words(tx: Transaction, words: Sequence[Word]) -> None:
    """Keep these verdicts in the place of those before."""
    tx.put_blob(FEEDBACK, msgspec.json.encode(words))


def read_loudness(spool: Spool) -> Loudness:
    """What a person set; nothing where nobody did."""
    kept = spool.blob(THRESHOLD)
    return msgspec.json.decode(kept, type=Loudness) if kept else Loudness()


def write_loudness(tx: Transaction, loudness: Loudness) -> None:
    """Keep it in the place of what was set before."""
    tx.put_blob(THRESHOLD, msgspec.json.encode(loudness))
