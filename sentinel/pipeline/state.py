"""The detector's state between runs: a file beside the spool, and in the spool the sequence up to which it has seen."""

import contextlib
import logging
from pathlib import Path

import msgspec

from sentinel.durable import make_private_dir, read_file, write_file
from sentinel.spool import Spool, Transaction

__all__ = ["BATCH", "LIVE", "SavedState", "read_newest", "write_state"]

log = logging.getLogger(__name__)

MAX_STATE_BYTES = 1 << 30
LIVE = "detector-live"
BATCH = "detector-batch"


class SavedState(msgspec.Struct, frozen=True):
    """A state that has seen all records up to `sequence`; `file` holds it."""

    sequence: int
    file: str


def write_state(folder: Path, name: str, sequence: int, state: bytes) -> SavedState:
    """Write a state to a file of its own; it counts only once `SavedState` stands in the spool (`remember`)."""
    make_private_dir(folder)
    file = f"{name}-{sequence:015d}.state"
    write_file(folder / file, state)
    return SavedState(sequence, file)


def remember(tx: Transaction, name: str, saved: SavedState) -> None:
    """Make `saved` the state of this name, in the transaction that also moves the reader."""
    tx.put_blob(name, msgspec.json.encode(saved))


def forget_older(folder: Path, name: str, saved: SavedState) -> None:
    """Remove the files that `saved` has replaced."""
    for path in folder.glob(f"{name}-*.state"):
        if path.name != saved.file:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def read_newest(spool: Spool, folder: Path) -> tuple[SavedState, bytes] | None:
    """The state that has seen most, live or batch; None when there is none that can be read."""
    found = [msgspec.json.decode(blob, type=SavedState) for name in (LIVE, BATCH) if (blob := spool.blob(name))]
    for saved in sorted(found, key=lambda s: s.sequence, reverse=True):
        try:
            return saved, read_file(folder / saved.file, max_bytes=MAX_STATE_BYTES)
        except OSError as exc:
            log.warning("skipped detector state file=%s error=%s", saved.file, exc)
    return None
