"""Several requests' bodies as one batch, parsed and packed slice by slice, and its outcome as an answer for each."""

import secrets
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from sentinel.parse import Body, Document, Parsed, parse_documents, parse_lines
from sentinel.spool import Packed, Span

__all__ = ["SLICE_BYTES", "SLICE_ITEMS", "Answer", "Batch", "Rejected", "Submission", "event_id_prefix"]

ALPHABET = "0123456789abcdefghijklmnopqrstuv"  # base32hex: sorts like the number it writes
PREFIX_CHARS = 16
SLICE_ITEMS = 1_000  # some 10 ms of work, 50 on a busy machine, after which others have their turn
SLICE_BYTES = 1024 * 1024
LINE_SCHEMA = {"line": pl.Binary(), "origin": pl.String(), "event_id": pl.String()}


@dataclass(frozen=True, slots=True)
class Submission:
    """One request's decoded body, with who sent it and, if given, its Idempotency-Key."""

    body: Body
    client: str
    key: str | None = None
    digest: str = ""  # of the raw body; compared when a key comes again
    size: int = 0  # bytes of the raw body

    @property
    def items(self) -> int:
        """How many documents or lines the body has."""
        return len(self.body.documents or self.body.lines or ())

    @property
    def is_big(self) -> bool:
        """Whether it is more than one slice of work."""
        return self.items > SLICE_ITEMS or self.size > SLICE_BYTES


@dataclass(frozen=True, slots=True)
class Rejected:
    """One item that was not accepted: its position in the body, and why. A body may have 200,000: no mapping each."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request, told after the commit. `span` is None where nothing new was accepted."""

    accepted: int
    rejected: Sequence[Rejected]
    span: Span | None
    rejected_count: int  # how many in all: of a request that was repeated `rejected` has the first few


def event_id_prefix(now_s: float, chance: int) -> str:
    """The first 16 characters of the ids of one request; the index in the body follows as 6 digits.

    Ordered by time, which is cheaper to index, and random (35 bits of `chance`). Never from the client or its
    Idempotency-Key: a key that comes again, after its day or at another server, must not meet the ids of another body.
    """
    return _base32(int(now_s * 1000), 9) + _base32(chance, 7)


def _base32(number: int, width: int) -> str:
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(5 * (width - 1), -1, -5))


@dataclass(frozen=True, slots=True)
class _Part:
    """Items [first, end) of one submission."""

    owner: int
    first: int
    end: int


class Batch:
    """The items of several submissions: all documents, then all lines, each remembering whose it is.

    `step` parses and packs one slice of them; after the last one the records are ready to be appended.
    """

    def __init__(self, submissions: Sequence[Submission], packed: Packed, *, now_s: float, period: str) -> None:
        self.submissions, self.packed = submissions, packed
        self._now, self._period = datetime.fromtimestamp(now_s, UTC), period
        chance = secrets.randbits(35 * len(submissions))  # all at once: each call waits for Python's lock again
        self._prefixes = [event_id_prefix(now_s, chance >> 35 * i) for i in range(len(submissions))]
        documents = [i for i, s in enumerate(submissions) if s.body.documents is not None]
        lines = [i for i, s in enumerate(submissions) if s.body.documents is None]
        self._order = [*documents, *lines]
        self._slices = [*_slices(submissions, documents), *_slices(submissions, lines)]
        self._accepted = Counter[str]()  # by prefix
        self.masked = Counter[str]()  # secrets by kind
        self._refused: list[list[Rejected]] = [[] for _ in submissions]
        self._reasons = dict[str, str]()  # one object for all that have the same
        self._done = 0

    @property
    def is_packed(self) -> bool:
        """Whether all slices are done."""
        return self._done == len(self._slices)

    def step(self) -> None:
        """Parse and pack the next slice."""
        parts = self._slices[self._done]
        self._done += 1
        is_documents = self.submissions[parts[0].owner].body.documents is not None
        parsed = self._parse_documents(parts) if is_documents else self._parse_lines(parts)
        self._put_back(parts[-1], parsed)
        self._accepted.update(event_id[:PREFIX_CHARS] for event_id in parsed.records["event_id"].to_list())
        self.masked.update(parsed.masked)
        if parsed.records.height:
            self.packed.add(parsed.records)
        self._refuse(parts, parsed.rejected)

    def _parse_documents(self, parts: Sequence[_Part]) -> Parsed:
        documents = [
            Document(body, f"{self._prefixes[part.owner]}{index:06d}", self.submissions[part.owner].client)
            for part in parts
            for index, body in enumerate(
                (self.submissions[part.owner].body.documents or ())[part.first : part.end], part.first
            )
        ]
        return parse_documents(documents, now=self._now, period=self._period)

    def _parse_lines(self, parts: Sequence[_Part]) -> Parsed:
        rows = [
            (line, self.submissions[part.owner].client, f"{self._prefixes[part.owner]}{index:06d}")
            for part in parts
            for index, line in enumerate(
                (self.submissions[part.owner].body.lines or ())[part.first : part.end], part.first
            )
        ]
        last, unsettled = parts[-1], list[str]()
        if last.end < self.submissions[last.owner].items:
            unsettled = [self._prefixes[last.owner]]
        frame = pl.DataFrame(rows, schema=LINE_SCHEMA, orient="row")
        return parse_lines(frame, now=self._now, period=self._period, unsettled=unsettled)

    def _put_back(self, last: _Part, parsed: Parsed) -> None:
        """Give the lines of an event that may go on to the next slice, where the rest of it is."""
        held = parsed.held.get(self._prefixes[last.owner])
        if held is not None:
            following = self._slices[self._done]
            following[0] = _Part(last.owner, held, following[0].end)

    def _refuse(self, parts: Sequence[_Part], rejected: pl.DataFrame) -> None:
        """Note what of a slice was rejected: for the answers, and for the books."""
        if rejected.is_empty():
            return
        ends, total = list[int](), 0
        for part in parts:
            total += part.end - part.first
            ends.append(total)
        counts = Counter[tuple[str, str]]()
        for position, told in rejected.iter_rows():
            place = bisect_right(ends, position)
            part = parts[place]
            index = part.first + position - (ends[place - 1] if place else 0)
            reason = self._reasons.setdefault(told, told)
            self._refused[part.owner].append(Rejected(index, reason))
            counts[self.submissions[part.owner].client, reason] += 1
        self.packed.reject(counts)

    def answers(self, span: Span | None) -> list[Answer]:
        """One answer for each submission; `span` is what the records were given, in their order."""
        following = span.first if span is not None else 0
        spans: dict[int, Span | None] = {}
        for owner in self._order:
            accepted = self._accepted[self._prefixes[owner]]
            spans[owner] = Span(following, following + accepted - 1) if accepted else None
            following += accepted
        return [
            Answer(self._accepted[prefix], self._refused[owner], spans[owner], len(self._refused[owner]))
            for owner, prefix in enumerate(self._prefixes)
        ]


def _slices(submissions: Sequence[Submission], owners: Sequence[int]) -> list[list[_Part]]:
    """The items of these submissions in order, cut so that no slice has more than SLICE_ITEMS or about SLICE_BYTES."""
    slices, items, size = [list[_Part]()], 0, 0.0
    for owner in owners:
        count, first = submissions[owner].items, 0
        item_bytes = submissions[owner].size / max(count, 1)
        while first < count:
            if slices[-1] and (items >= SLICE_ITEMS or size >= SLICE_BYTES):
                slices.append([])
                items, size = 0, 0.0
            room = int((SLICE_BYTES - size) / item_bytes) if item_bytes else SLICE_ITEMS
            end = min(count, first + max(1, min(room, SLICE_ITEMS - items)))
            slices[-1].append(_Part(owner, first, end))
            items, size = items + end - first, size + (end - first) * item_bytes
            first = end
    return [parts for parts in slices if parts]
