"""What rooms share that is no frame: the streams, the levels, a file's checkpoint; nothing slow is imported."""

from dataclasses import dataclass

__all__ = ["ANOMALIES", "EVENTS", "LEVELS", "Checkpoint"]

EVENTS = "events"
ANOMALIES = "anomalies"

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far one generation of one source file has been read, and how to know it again.

    A generation is one life of one file: a truncated or replaced file begins a new one at offset 0.
    """

    generation: str  # 10 characters, random, fixed when the file is first seen
    path: str
    device: int
    inode: int
    offset: int  # bytes; always just past a newline (or at 0)
    head_bytes: int  # how many first bytes `head_hash` covers (≤ 1024)
    head_hash: str
    guard_bytes: int  # how many bytes before `offset` `guard_hash` covers (≤ 256)
    guard_hash: str
    state: str  # "live", "rotated" (renamed or copied away), "done" (rotated, read), "gone", "held" (waiting copy)
    updated_s: float  # Unix time of the last change
