"""The oracle: issues events whose content it can tell from their number, knows which were acknowledged, judges the end.

An acknowledged number is an obligation: it must be in the store or among the dead letters, once, with the content that
was issued. A number that was issued and never acknowledged may be there once or not at all. Anything else is unknown.
"""

import hashlib
import random
import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import orjson

__all__ = ["FILES", "HTTP", "POISON", "Event", "Oracle", "Verdict", "event"]

HTTP, FILES = "H", "F"
POISON = "POISON"
POISON_EVERY = 997
TOKEN = re.compile(r"\b([HF])(\d{8})-([0-9a-f]{6})\b")
LEVELS = ("debug", "info", "warn", "error")
WORDS = ("accepted", "connection", "from", "user", "failed", "cache", "miss", "écran", "日志", "timeout", "retry", "ok")
EPOCH_S = 1_790_000_000  # of the first event; one event a second


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it was issued."""

    token: str
    message: str
    level: str
    source: str
    host: str
    second: int

    def stamp(self) -> str:
        """When it happened, as ISO 8601."""
        return datetime.fromtimestamp(self.second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def document(self) -> dict[str, object]:
        """The event as a JSON document."""
        return {
            "timestamp": self.stamp(),
            "level": self.level,
            "message": self.message,
            "source": self.source,
            "host": self.host,
        }


def event(seed: int, kind: str, number: int, *, poison_every: int = POISON_EVERY) -> Event:
    """The event of this number: always the same for the same seed. Every `poison_every`-th one cannot be indexed: its
    message has a word that the fake refuses, and its host is the only one that is not a number."""
    digest = hashlib.blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=16).digest()
    token = f"{kind}{number:08d}-{digest[:3].hex()}"
    words = " ".join(WORDS[byte % len(WORDS)] for byte in digest[3 : 5 + digest[5] % 8])
    is_poison = bool(poison_every) and number % poison_every == poison_every // 2
    poison = f" {POISON}" if is_poison else ""
    return Event(
        token,
        f"{token} {words} r{digest[8:].hex()}{poison}",  # without the letter one in 40,000 is a card's number
        LEVELS[digest[0] % 4],
        f"oracle-{digest[1] % 9}",
        POISON if is_poison else str(digest[2] % 5),
        EPOCH_S + number,
    )


@dataclass
class Verdict:
    """What the oracle found; `passed` when nothing is wrong. The lists hold the first few tokens of each kind."""

    issued: int = 0
    acknowledged: int = 0
    stored: int = 0
    dead: int = 0
    lost: list[str] = field(default_factory=list)
    duplicate: list[str] = field(default_factory=list)
    corrupt: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Nothing lost, twice, changed or invented, and the books balance."""
        return not (self.lost or self.duplicate or self.corrupt or self.unknown or self.books)

    def counts(self) -> dict[str, int]:
        """All figures."""
        return {name: value if isinstance(value, int) else len(value) for name, value in vars(self).items()}

    def explain(self) -> str:
        """Counts, and a few tokens of each kind of failure."""
        shown = {name: value[:5] for name, value in vars(self).items() if isinstance(value, list) and value}
        return f"{self.counts()} {shown}"


class Oracle:
    """Numbers issued and acknowledged, by kind. Thread-safe."""

    def __init__(self, seed: int, *, poison_every: int = POISON_EVERY) -> None:
        self.seed, self.poison_every = seed, poison_every
        self._lock = threading.Lock()
        self._issued = {HTTP: 0, FILES: 0}
        self._acknowledged: dict[str, set[int]] = {HTTP: set(), FILES: set()}
        self.refused_issued = self.refused_acknowledged = 0  # bad documents sent, and told to be rejected
        self.answers = Counter[str]()

    def event(self, kind: str, number: int) -> Event:
        """The event of a number."""
        return event(self.seed, kind, number, poison_every=self.poison_every)

    def issue(self, kind: str, count: int) -> range:
        """The next `count` numbers of a kind."""
        with self._lock:
            first = self._issued[kind]
            self._issued[kind] += count
            return range(first, first + count)

    def issued(self, kind: str) -> int:
        """How many numbers of a kind have been issued."""
        return self._issued[kind]

    def acknowledge(self, kind: str, numbers: Iterable[int]) -> None:
        """These were acknowledged: from now on they are obligations."""
        with self._lock:
            self._acknowledged[kind].update(numbers)

    def note(self, answer: str) -> None:
        """Count an answer of the server."""
        with self._lock:
            self.answers[answer] += 1

    def refused(self, *, issued: int = 0, acknowledged: int = 0) -> None:
        """Count bad documents sent, and rejections told."""
        with self._lock:
            self.refused_issued += issued
            self.refused_acknowledged += acknowledged

    def judge(self, documents: Iterable[list[object]], dead: Iterable[str]) -> Verdict:
        """Compare with what is in the store ([index, id, message, timestamp, level, source, host]) and what is dead."""
        verdict = Verdict(
            issued=sum(self._issued.values()), acknowledged=sum(len(one) for one in self._acknowledged.values())
        )
        found: Counter[tuple[str, int]] = Counter()
        for row in documents:
            verdict.stored += 1
            self._look(found, str(row[2]), [row[4], row[5], row[6]], verdict)
        for message in dead:
            verdict.dead += 1
            self._look(found, message, None, verdict)
        for kind, numbers in self._acknowledged.items():
            verdict.lost += [f"{kind}{number}" for number in sorted(numbers) if (kind, number) not in found]
        verdict.duplicate += [f"{kind}{number} ×{count}" for (kind, number), count in found.items() if count > 1]
        return verdict

    def _look(
        self, found: "Counter[tuple[str, int]]", message: str, fields: list[object] | None, verdict: Verdict
    ) -> None:
        match = TOKEN.search(message)
        if match is None or int(match[2]) >= self._issued[match[1]]:
            verdict.unknown.append(message[:80])
            return
        key = match[1], int(match[2])
        found[key] += 1
        expected = self.event(*key)
        whole = fields is None or fields == [expected.level, expected.source, expected.host]
        if message != expected.message or not whole:
            verdict.corrupt.append(f"{message[:60]} {fields}")
        if fields is None and POISON not in message:
            verdict.corrupt.append(f"dead without a cause: {message[:60]}")
        if fields is not None and POISON in message:
            verdict.corrupt.append(f"poison in the store: {message[:60]}")

    def balance(self, verdict: Verdict, ledger: dict[str, object]) -> None:
        """R13: add to the verdict whatever in the ledger contradicts itself or what was found."""

        def count(name: str) -> int:
            value = ledger[name]
            return sum(value.values()) if isinstance(value, dict) else int(str(value))

        claims = {
            "received = accepted + rejected": count("received") == count("accepted") + count("rejected"),
            "accepted = delivered + waiting + dead": count("accepted")
            == count("delivered") + count("waiting") + count("dead"),
            "nothing waits": count("waiting") == 0,
            "delivered = in the store": count("delivered") == verdict.stored,
            "dead = dead letters": count("dead") == verdict.dead,
            "accepted ≥ acknowledged": count("accepted") >= verdict.acknowledged,
            "accepted ≤ issued": count("accepted") <= verdict.issued,
            "rejected as told": self.refused_acknowledged <= count("rejected") <= self.refused_issued,
        }
        verdict.books += [f"{claim}: {ledger}" for claim, holds in claims.items() if not holds]


def batch_sizes(seed: int) -> Iterable[int]:
    """Sizes of requests, 1 to 100, small ones more often."""
    dice = random.Random(seed)
    while True:
        yield dice.choice((1, 1, 2, 5, dice.randint(1, 100)))


def body_of(events: list[Event], bad_at: int | None) -> bytes:
    """A JSON array of the events, with a document that must be rejected at `bad_at`."""
    documents: list[object] = [one.document() for one in events]
    if bad_at is not None:
        documents.insert(bad_at, {"level": "info", "source": "nobody"})
    return orjson.dumps(documents)
