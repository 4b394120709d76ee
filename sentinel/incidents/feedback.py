"""What people say of anomalies: which further ones a false alarm covers, and which are to rank higher."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

__all__ = ["REAL_NATS", "SCOPES", "VERDICTS", "Case", "Word", "Words"]

VERDICTS = ("false_alarm", "real")
SCOPES = ("line", "template", "source", "actor")
REAL_NATS = 2.5
"""Nats added to what a person called real: a line twelve times as common as the threshold asks for alarms, too."""

MUCH_STRANGER_NATS = 8.0  # above what was looked at: 3,000 times less probable is not what the person meant
GUESSES = frozenset({"brute_force", "credential_stuffing"})
RATES = frozenset({"error_burst", "rate_spike", "rate_drop"})
MANY_LINES = GUESSES | {"scan"}
"""Attacks that are floods themselves: a burst of their actor's lines is part of them."""


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
        than was looked at, a flood where none was looked at, or what is much stranger than what was looked at.
        """
        return next((word for key in case.names() for word in self._false.get(key, ()) if _covers(word, case)), None)


def _covers(word: Word, case: Case) -> bool:
    if case.kind in GUESSES and case.actor not in word.actors:
        return False
    if case.is_grave and case.template not in word.templates:
        return False
    if case.kind in RATES and not RATES.intersection(word.kinds):
        is_same_attack = case.actor in word.actors and bool(MANY_LINES.intersection(word.kinds))
        if not is_same_attack:
            return False
    return case.nats < word.peak_nats + MUCH_STRANGER_NATS
