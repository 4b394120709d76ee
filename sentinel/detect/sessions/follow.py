"""Follow sessions (blocks, requests, orders): what can only grow may alarm in flight, at its end the whole decides."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson

from sentinel.detect.kernel.jit import Floats, Hashes, Integers
from sentinel.detect.sessions import session_arrays as sa
from sentinel.detect.sessions import session_pass
from sentinel.detect.sessions.fit import SessionRules
from sentinel.detect.sessions.numbers import Numbers, content_of
from sentinel.detect.sessions.parts import EXTRA, FAILING, OFTEN
from sentinel.detect.sessions.reasons import reasons_of
from sentinel.detect.tuning.sessions import MAX_OVER, MAX_WAITING

__all__ = ["Alarm", "SessionVerdict", "Sessions", "Story"]


Story = Callable[[int], tuple[str, str, str]]
"""Of a line: the id of its session, its source, the id of its event."""
Arrays = Mapping[str, np.ndarray[Any, Any]]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A session that is strange whatever follows, told at the line (by its place in the call) at which it became so."""

    line: int
    nats: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionVerdict:
    """What is said of a session that is over: `nats` 0…25 (7.5: p < 1/1,800); times in seconds since 1970.

    `is_anomaly`: it is strange, nothing was said of it before, and its beginning was seen.
    """

    key: int
    session: str
    source: str
    last_event: str
    template: str  # of its last line
    nats: float
    is_anomaly: bool
    reasons: tuple[str, ...]
    lines: int
    first_s: float
    last_s: float


class Sessions:
    """The sessions of one kind. At most 32,768 are held, and of each the counts of 64 templates; the rest give way.

    `known` are the model's templates, `text` gives a template's text. `threshold` is in nats wherever it is asked for.
    Not for several threads at once.
    """

    def __init__(self, rules: SessionRules, known: Iterable[int], text: Callable[[int], str]) -> None:
        self.rules = rules
        self._numbers = Numbers(rules, known, text)
        self.is_of_use = self._numbers.is_of_use
        self._held = sa.Open.empty()
        self._latest = np.full(sa.PLACES, -1)  # each session's last line, counted over all calls
        self._taken = 0  # lines of earlier calls
        self._waiting: deque[SessionVerdict] = deque(maxlen=MAX_WAITING)
        self._stories: dict[int, tuple[str, str, str]] = {}
        self._anchor: tuple[float, float] | None = None
        self._looked_s, self._due_s = -np.inf, -np.inf  # when was looked for sessions that are over, and is to be again

    def __len__(self) -> int:
        return int(np.count_nonzero(self._held.keys))

    def walk(self, sessions: Hashes, templates: Hashes, times: Floats, threshold: float, story: Story) -> list[Alarm]:
        """Take lines in order; the alarms in flight. Verdicts on sessions that turn out to have ended wait."""
        self._numbers.shorten(self._held)
        numbers = self._numbers.numbers(templates)
        alarms = []
        for line, place, over, alarmed in self._advance(sessions, numbers, times, threshold, sa.Log.sized(0)):
            self._remember(sessions, over.where, story)
            self._waiting.extend(self._judge_over(over, threshold))
            if alarmed and self._held.head[place, sa.SAID] == 0.0:
                alarms += self._alarm(line, place, threshold)
        ours = (sessions != 0) & (self._numbers.tables.code[numbers] >= 0)
        self._remember(sessions, np.flatnonzero(ours), story)
        return alarms

    def peek(self, sessions: Hashes, templates: Hashes, times: Floats, threshold: float) -> list[Alarm]:
        """The alarms in flight that `walk` would give; nothing counts as seen."""
        held, known, counters = self._held, len(self._numbers.keys), self._held.counters.copy()
        log, alarms = sa.Log.sized(len(sessions)), []
        try:
            numbers = self._numbers.numbers(templates)
            for line, place, over, alarmed in self._advance(sessions, numbers, times, threshold, log):
                self._judge_over(over, threshold)
                if alarmed and held.head[place, sa.SAID] == 0.0:
                    alarms += self._alarm(line, place, threshold)
        finally:
            session_pass.take_back(held, log)
            held.counters[:] = counters
            self._numbers.forget_beyond(known)
        return alarms

    def _advance(
        self, sessions: Hashes, numbers: Integers, times: Floats, threshold: float, log: sa.Log
    ) -> Iterator[tuple[int, int, sa.Log, bool]]:
        """Where the kernel stops: (line, place, sessions that were over, whether the session at this place alarms)."""
        start, tables = 0, self._numbers.tables
        over = sa.Log.sized(min(MAX_OVER, len(sessions)))
        while True:
            line, place, count, why = session_pass.advance(
                self._held, tables, sessions, numbers, times, start, threshold, log, over, self._latest, self._taken
            )
            yield line, place, over.first(count), why == sa.ALARMED
            if why == sa.DONE:
                self._taken += len(sessions)
                return
            start = line + (why == sa.ALARMED)

    def _remember(self, sessions: Hashes, lines: Integers, story: Story) -> None:
        """Keep of each session that is held its id, source and last event."""
        if len(self._stories) > 2 * sa.PLACES:
            held = frozenset(self._held.keys.tolist())
            self._stories = {key: told for key, told in self._stories.items() if key in held}
        lines = lines[lines >= 0]
        for session, line in dict(zip(sessions[lines].tolist(), lines.tolist(), strict=True)).items():
            place = session_pass.place_of(self._held.keys, np.uint64(session))
            if place >= 0:
                self._stories[session] = story(line)

    def tick(self, now_s: float, threshold: float) -> list[SessionVerdict]:
        """Verdicts on sessions that are over, none of which was given before.

        The time that counts is that of the lines; it goes on with the clock (`now_s`) while none comes.
        """
        clock = float(self._held.counters[sa.CLOCK])
        if self._anchor is None or self._anchor[0] != clock:
            self._anchor = (clock, now_s)
        return self.ended(threshold, clock + max(now_s - self._anchor[1], 0.0))

    def ended(self, threshold: float, time_s: float | None = None) -> list[SessionVerdict]:
        """The same by the time of the lines: at `time_s`, or that of the newest line."""
        now_s = float(self._held.counters[sa.CLOCK]) if time_s is None else time_s
        if not self._looked_s <= now_s < self._due_s:
            self._waiting.extend(self._judge(self._over(self.rules.timeouts, now_s), threshold))
            self._looked_s, self._due_s = now_s, self._next_due(now_s)
        said = list(self._waiting)
        self._waiting.clear()
        return said

    def close(self, threshold: float) -> list[SessionVerdict]:
        """Where nothing more will come: also on the sessions that are rather over than not."""
        self._waiting.extend(
            self._judge(self._over(self.rules.endings, float(self._held.counters[sa.CLOCK])), threshold)
        )
        return self.ended(threshold)

    def standing(self) -> dict[str, float]:
        """The highest nats that was ever given to each session that is held, by its id."""
        places = np.flatnonzero(self._held.keys)
        worth = self._held.head[places][:, [sa.HIGHEST, sa.WORTH]].max(1, initial=0.0)
        names = (self._stories.get(key, (f"{key:x}", "", ""))[0] for key in self._held.keys[places].tolist())
        return dict(zip(names, worth.tolist(), strict=True))

    def _over(self, limits: Floats, now_s: float) -> Integers:
        """The places of unjudged sessions that are over by these limits, the oldest first."""
        places, last, wait = self._unjudged(limits)
        over = now_s - last > wait
        found: Integers = places[over][np.argsort(last[over], kind="stable")]
        return found

    def _next_due(self, now_s: float) -> float:
        """The earliest time at which a session that is held, or one that begins now, can be over."""
        _, last, wait = self._unjudged(self.rules.timeouts)
        return float(min((last + wait).min(initial=np.inf), now_s + self.rules.timeouts.min()))

    def _unjudged(self, limits: Floats) -> tuple[Integers, Floats, Floats]:
        """The places of unjudged sessions, the times of their last lines, and how long each may wait, seconds."""
        held = self._held
        places = np.flatnonzero((held.keys != 0) & (held.head[:, sa.JUDGED] == 0.0))
        code = self._numbers.tables.code[held.head[places, sa.BEFORE].astype(np.int64)]
        return places, held.head[places, sa.LAST], limits[np.minimum(code, len(limits) - 1)]

    def _alarm(self, line: int, place: int, threshold: float) -> list[Alarm]:
        """The alarm of a session in flight; none where it may yet come to what recurs."""
        model = self.rules.model
        content = content_of(self.rules, self._numbers, self._at(np.array([place])), ended=False)
        nats = self._held.head[place : place + 1, sa.HIGHEST]
        nats[:] = model.usual.bound(content, nats, ended=False)
        if nats[0] < threshold:
            return []
        tails = model.part_tail.nats(model.usual.rising(content))
        texts = {**self._numbers.texts(content.unseen), **model.texts}
        self._held.head[place, sa.SAID] = 1.0
        reasons = next(reasons_of(model.usual, content, tails, [0], texts))
        return [Alarm(line, float(nats[0]), reasons)]

    def _judge(self, places: Integers, threshold: float) -> list[SessionVerdict]:
        """Verdicts on whole sessions, which then are judged."""
        self._held.head[places, sa.JUDGED] = 1.0
        return self._judge_over(self._at(places), threshold)

    def _at(self, places: Integers) -> sa.Log:
        held = self._held
        return sa.Log(places, held.keys[places], held.head[places], held.cells[places])

    def _judge_over(self, over: sa.Log, threshold: float) -> list[SessionVerdict]:
        """Verdicts on whole sessions as they were; none is an anomaly twice."""
        if len(over.keys) == 0:
            return []
        content = content_of(self.rules, self._numbers, over, ended=True)
        nats, reasons = self.rules.model.judge(content, self._numbers.texts(content.unseen))
        return [self._verdict(over, i, float(nats[i]), reasons[i], threshold) for i in range(len(nats))]

    def _verdict(self, over: sa.Log, i: int, nats: float, reasons: tuple[str, ...], threshold: float) -> SessionVerdict:
        key, head = int(over.keys[i]), over.head[i]
        place = session_pass.place_of(self._held.keys, np.uint64(key))
        own = self._held.head[place] if place >= 0 else head
        is_anomaly = bool(nats >= threshold and own[sa.SAID] == 0.0)
        own[sa.SAID] = max(own[sa.SAID], float(is_anomaly))
        own[sa.WORTH] = max(own[sa.WORTH], nats)
        template = self._numbers.text(int(head[sa.BEFORE]))
        lines, first_s, last_s = (
            int(head[sa.LINES]),
            float(head[sa.FIRST]),
            float(head[sa.LAST]),
        )
        session, source, event = self._stories.get(key, (f"{key:x}", "", ""))
        return SessionVerdict(
            key, session, source, event, template, nats, is_anomaly, reasons, lines, first_s, last_s
        )  # fmt: skip

    def state(self) -> dict[str, np.ndarray[Any, Any]]:
        """What is held, as arrays: to be saved with the reader's position."""
        held, places = self._held, np.flatnonzero(self._held.keys)
        stories = [self._stories.get(key, (f"{key:x}", "", "")) for key in held.keys[places].tolist()]
        waiting = [[getattr(verdict, name) for name in SessionVerdict.__slots__] for verdict in self._waiting]
        return {
            "templates": np.array(self._numbers.keys[1:], np.uint64),
            "places": places,
            "keys": held.keys[places],
            "head": held.head[places],
            "cells": held.cells[places],
            "counters": held.counters,
            "rest": np.frombuffer(orjson.dumps([stories, waiting]), np.uint8),
        }

    def restore(self, arrays: Arrays, *, same_rules: bool) -> None:
        """Take up what `state` gave; under other rules what was counted is kept, what was said of it made anew."""
        held, places = self._held, arrays["places"].astype(np.int64)
        held.keys[places], held.head[places], held.cells[places] = arrays["keys"], arrays["head"], arrays["cells"]
        held.counters[:] = arrays["counters"]
        self._looked_s = self._due_s = -np.inf
        self._numbers.start_again(arrays["templates"].tolist())
        stories, waiting = orjson.loads(arrays["rest"].tobytes())
        self._stories = {
            key: (told[0], told[1], told[2]) for key, told in zip(arrays["keys"].tolist(), stories, strict=True)
        }
        self._waiting.extend(_again(row) for row in waiting)
        if not same_rules and len(places):
            content = content_of(self.rules, self._numbers, self._at(places), ended=False)
            rising = self.rules.model.usual.rising(content)
            for field, part in (
                (sa.EXTRA, EXTRA),
                (sa.OFTEN, OFTEN),
                (sa.FAILING, FAILING),
            ):
                held.head[places, field] = rising[:, part] ** 2
            held.head[places, sa.HIGHEST] = self.rules.model.so_far(content)


def _again(row: list[Any]) -> SessionVerdict:
    values: dict[str, Any] = dict(zip(SessionVerdict.__slots__, row, strict=True))
    return SessionVerdict(**{**values, "reasons": tuple(values["reasons"])})
