"""What people say of anomalies: which further ones a false alarm covers, and which are to rank higher."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import msgspec

from sentinel.incidents.severity import GRAVITY

__all__ = ["GUESSES", "REAL_NATS", "SCOPES", "VERDICTS", "Case", "Word", "Words", "counted"]

VERDICTS = ("false_alarm", "real")
SCOPES = ("line", "template", "source", "actor")
REAL_NATS = 2.5
"""Nats added to what a person called real: a line twelve times as common as the threshold asks for alarms, too."""

MUCH_STRANGER_NATS = 8.0  # above what was looked at: 3,000 times less probable is not what the person meant
BURST_NATS = 2.0  # the same for bursts: twice the lines are worth 1.5 nats, until the flood statistic is full
LARGER_BURST = 4  # times the lines that were looked at: the count of a flood goes on where its nats are full
FAILS_OR_ATTACKS = 2  # GRAVITY of a failure or an attack, rather than of what is only unusual
GUESSES = frozenset({"brute_force", "credential_stuffing"})
RATES = frozenset({"error_burst", "rate_spike", "rate_drop"})
MANY_LINES = GUESSES | {"scan"}
"""Attacks that are floods themselves: a burst of their actor's lines is part of them."""

_COUNTED = re.compile(r"about ([\d,]+) ([^;\d]+) within ")


class Word(msgspec.Struct, frozen=True):
    """One verdict of a person, with what it was said of. Times are Unix times in seconds."""

    id: str
    verdict: str  # one of VERDICTS
    scope: str  # one of SCOPES
    at_s: float
    by: str
    until_s: float | None = None
    note: str | None = None
    anomaly: str | None = None
    incident: str | None = None
    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    lines: tuple[tuple[str, str, str], ...] = ()  # template, source and actor of the lines
    messages: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    peak_nats: float = 0.0
    counts: dict[str, int] = {}  # see `counted`: the most of each
    first_s: float = 0.0
    last_s: float = 0.0

    def is_over(self, now_s: float) -> bool:
        """Whether its time has passed."""
        return self.until_s is not None and self.until_s <= now_s

    def keys_said(self) -> list[tuple[str, ...]]:
        """What a further line that it is about shares with it."""
        if self.scope == "line":
            return [("line", *line) for line in self.lines]
        names = {"template": self.templates, "source": self.sources, "actor": self.actors}[self.scope]
        return [(self.scope, name) for name in names]


@dataclass(frozen=True, slots=True)
class Case:
    """A line that would alarm, as far as it matters here."""

    template: str
    source: str
    actor: str
    kind: str
    nats: float
    is_grave: bool
    counts: Mapping[str, int] = field(default_factory=dict)  # see `counted`

    def names(self) -> Iterable[tuple[str, ...]]:
        """All that a word may know it by."""
        yield "line", self.template, self.source, self.actor
        yield "template", self.template
        yield "source", self.source
        if self.actor:
            yield "actor", self.actor


class Words:
    """All that was said and still holds, ready to be asked of one line after the other."""

    def __init__(self, said: Iterable[Word], now_s: float) -> None:
        self._false: dict[tuple[str, ...], list[Word]] = {}
        self._real: dict[tuple[str, ...], Word] = {}
        for word in said:
            if word.is_over(now_s):
                continue
            for key in word.keys_said():
                if word.verdict == "false_alarm":
                    self._false.setdefault(key, []).append(word)
                else:
                    self._real[key] = word

    @property
    def has_false(self) -> bool:
        """Whether anything was called a false alarm."""
        return bool(self._false)

    @property
    def has_real(self) -> bool:
        """Whether anything was called real."""
        return bool(self._real)

    def real_names(self) -> Mapping[str, Collection[str]]:
        """By scope, the names whose lines are to rank higher."""
        found: dict[str, set[str]] = {scope: set() for scope in SCOPES}
        for scope, *rest in self._real:
            found[scope].add("\0".join(rest))
        return found

    def covering(self, case: Case) -> Word | None:
        """The false alarm that a line is another one of; None where it must alarm.

        None of them hides guessed passwords of an actor that was not looked at, a grave failure in another template
        than was looked at, a failure or an attack there where only unusual lines were, a flood where none was looked at
        or one of four times as many lines, or what is much stranger than what was looked at.
        """
        return next((word for key in case.names() for word in self._false.get(key, ()) if _covers(word, case)), None)


def counted(reasons: Iterable[str]) -> dict[str, int]:
    """How many of what the reasons count, the most of each.

    >>> counted(["about 1,764 lines of this kind within 15 s; usual: at most 3"])
    {'lines of this kind': 1764}
    """
    found: dict[str, int] = {}
    for reason in reasons:
        for count, what in _COUNTED.findall(reason):
            found[what] = max(found.get(what, 0), int(count.replace(",", "")))
    return found


def _covers(word: Word, case: Case) -> bool:
    if case.kind in GUESSES and case.actor not in word.actors:
        return False
    if case.template not in word.templates and (case.is_grave or _is_graver(word, case)):
        return False
    if case.kind not in RATES:
        return case.nats < word.peak_nats + MUCH_STRANGER_NATS
    if not RATES.intersection(word.kinds):
        is_same_attack = case.actor in word.actors and bool(MANY_LINES.intersection(word.kinds))
        if not is_same_attack:
            return False
    return case.nats < word.peak_nats + BURST_NATS and not _is_larger(word, case)


def _is_graver(word: Word, case: Case) -> bool:
    """Whether it is a failure or an attack, and nothing as grave was looked at."""
    gravity = GRAVITY.get(case.kind, 0)
    looked_at = max((GRAVITY.get(kind, 0) for kind in word.kinds), default=0)
    return case.kind not in GUESSES and FAILS_OR_ATTACKS <= gravity > looked_at


def _is_larger(word: Word, case: Case) -> bool:
    both = word.counts.keys() & case.counts.keys()
    return any(case.counts[what] >= LARGER_BURST * word.counts[what] for what in both)
