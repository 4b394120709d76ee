"""Several requests' bodies as one batch to parse, and the batch's outcome as one answer for each request."""

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from sentinel.parse import Body, Document, parse_documents, parse_lines
from sentinel.records import REJECTED_SCHEMA, empty_records
from sentinel.spool import Span

__all__ = ["Answer", "Batch", "Submission", "event_id_prefix"]

ALPHABET = "0123456789abcdefghijklmnopqrstuv"  # base32hex: sorts like the number it writes
PREFIX_CHARS = 16


@dataclass(frozen=True, slots=True)
class Submission:
    """One request's decoded body, with who sent it and, if given, its Idempotency-Key."""

    body: Body
    client: str
    key: str | None = None
    digest: str = ""  # of the raw body; compared when a key comes again

    @property
    def items(self) -> int:
        """How many documents or lines the body has."""
        return len(self.body.documents or self.body.lines or ())


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request, told after the commit. `span` is None where nothing new was accepted."""

    accepted: int
    rejected: Sequence[dict[str, object]]  # {"index": position in the body, "reason": why}
    span: Span | None


def event_id_prefix(client: str, key: str | None, now_s: float, chance: int | None = None) -> str:
    """The first 16 characters of the ids of one request; the index in the body follows as 6 digits.

    From client and Idempotency-Key where there is one, else random (35 bits of `chance`) and ordered by time, which is
    cheaper to index.
    """
    if key is not None:
        return _base32(int.from_bytes(hashlib.sha256(f"{client}\0{key}".encode()).digest()[:10]), PREFIX_CHARS)
    return _base32(int(now_s * 1000), 9) + _base32(secrets.randbits(35) if chance is None else chance, 7)


def _base32(number: int, width: int) -> str:
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (width - 1), -1, -5))


class Batch:
    """The items of several submissions: all documents, then all lines, each remembering whose it is."""

    def __init__(self, submissions: Sequence[Submission], now_s: float) -> None:
        self._submissions = submissions
        chance = secrets.randbits(35 * len(submissions))  # all at once: each call waits for Python's lock again
        self._prefixes = [event_id_prefix(s.client, s.key, now_s, chance >> 35 * i) for i, s in enumerate(submissions)]
        self._documents = [i for i, s in enumerate(submissions) if s.body.documents is not None]
        self._lines = [i for i, s in enumerate(submissions) if s.body.documents is None]
        order = [*self._documents, *self._lines]
        self._places = [(owner, index) for owner in order for index in range(submissions[owner].items)]

    def parse(self, now: datetime, period: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Records of all submissions, and what was rejected (`index` is the position in the batch)."""
        records, rejected = list[pl.DataFrame](), list[pl.DataFrame]()
        documents = [
            Document(body, f"{self._prefixes[i]}{index:06d}", self._submissions[i].client)
            for i in self._documents
            for index, body in enumerate(self._submissions[i].body.documents or ())
        ]
        if documents:
            parsed = parse_documents(documents, now=now, period=period)
            records.append(parsed.records)
            rejected.append(parsed.rejected)
        if self._lines:
            parsed = parse_lines(self._line_frame(), now=now, period=period)
            records.append(parsed.records)
            rejected.append(parsed.rejected.with_columns(pl.col("index") + len(documents)))
        return _joined(records, empty_records), _joined(rejected, lambda: pl.DataFrame(schema=REJECTED_SCHEMA))

    def _line_frame(self) -> pl.DataFrame:
        rows = [
            (line, self._submissions[i].client, f"{self._prefixes[i]}{index:06d}")
            for i in self._lines
            for index, line in enumerate(self._submissions[i].body.lines or ())
        ]
        schema = {"line": pl.Binary(), "origin": pl.String(), "event_id": pl.String()}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def origins(self) -> pl.Series:
        """Who sent each item of the batch."""
        return pl.Series([self._submissions[owner].client for owner, _ in self._places], dtype=pl.String)

    def answers(self, records: pl.DataFrame, rejected: pl.DataFrame, span: Span | None) -> list[Answer]:
        """One answer for each submission; `span` is what the records were given, in their order."""
        refused: list[list[dict[str, object]]] = [[] for _ in self._submissions]
        for position, reason in rejected.iter_rows():
            owner, index = self._places[position]
            refused[owner].append({"index": index, "reason": reason})
        counts = Counter(event_id[:PREFIX_CHARS] for event_id in records["event_id"].to_list())
        following = span.first if span is not None else 0
        spans: dict[int, Span | None] = {}
        for owner in [*self._documents, *self._lines]:
            accepted = counts[self._prefixes[owner]]
            spans[owner] = Span(following, following + accepted - 1) if accepted else None
            following += accepted
        return [Answer(counts[prefix], refused[owner], spans[owner]) for owner, prefix in enumerate(self._prefixes)]


def _joined(frames: Sequence[pl.DataFrame], empty: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """One frame of several: of one, itself, since joining goes through the query planner."""
    if len(frames) == 1:
        return frames[0]
    return pl.concat(frames) if frames else empty()
