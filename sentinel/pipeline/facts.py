"""What `doctor` found of an installation: store, spool, model, home, watched folder, ports and the server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sentinel.spool import Ledger
from sentinel.store import Inspection

__all__ = ["DetectorFacts", "Facts", "ModelFacts", "ReaderFacts"]


@dataclass(frozen=True, slots=True)
class ReaderFacts:
    """How a reader fares."""

    behind: int  # records
    attempts: int = 0  # failed in a row
    error: str | None = None
    since_s: float | None = None  # Unix time of the first of them


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model in service; `problem` where it cannot be read."""

    version: str
    confidence: str = "normal"
    problem: str | None = None
    is_of_lexicon: bool = True  # whether it was made with the lexicon in use


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """How live detection fares in the server that runs; `error` where it fails."""

    behind: int  # records
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that is known. Where something could not be looked at, `failures` has check → why."""

    now_s: float
    kind: str = "parquet"  # of the store
    store: Inspection | None = None
    left_behind: str | None = None  # records of the time before Elasticsearch that are not in it
    readers: Mapping[str, ReaderFacts] = field(default_factory=dict)
    ledger: Ledger | None = None
    free_bytes: int | None = None
    min_free_bytes: int = 0
    letters: Sequence[tuple[str, str, str, int]] = ()  # stream, state, kind of reason, how many
    quarantined: Sequence[tuple[str, int, int, int]] = ()  # stream, first, last, how many of them are dead
    newest_received_s: float | None = None
    ahead: Mapping[str, float] = field(default_factory=dict)  # source → s by which its newest record is in the future
    model: ModelFacts | None = None
    open_paths: Sequence[str] = ()  # of the home, that others may read
    unwritable: str = ""  # the home, or the folder it would be made in, where this user may not write there
    watched: str = ""
    overlooked: str | None = None  # logs where they are usual, and nobody said to read them
    unreadable: Sequence[str] = ()  # `path: reason`
    changed: Sequence[str] = ()  # files whose format changed of late, a sentence each
    passed: Sequence[str] = ()  # what is left alone on purpose, a sentence a reason
    ports: Mapping[int, str] = field(default_factory=dict)  # "ours", "free" or what else listens there
    detector: DetectorFacts | None = None  # of the server, where one answers
    failures: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # check → (what, advice)
