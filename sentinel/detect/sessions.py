"""Judge whole sessions (blocks, requests, actors): while they last what can only grow, at their end the whole."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sentinel.detect.model import THRESHOLD_NATS, nats_to_score
from sentinel.detect.sessionmodel import REASON_NATS, SessionModel, fit_sessions
from sentinel.detect.sessionparts import Content, failing
from sentinel.detect.sessionreasons import reasons_of
from sentinel.errors import ArtifactError

__all__ = ["SessionModel", "SessionVerdict", "Sessions", "fit_sessions"]

MAX_OPEN = 100_000
MAX_TEMPLATES_OPEN = 512  # distinct templates counted of one session in flight
TIMEOUT_S = 600.0
EACH_TIME = 8  # a template's first lines are looked at one by one, then at each doubling


@dataclass(frozen=True, slots=True)
class SessionVerdict:
    """What is said of a session: at its end, or (`ended` false) when it first passes the threshold while it lasts.

    `nats` 0…25; `score` in [0, 1], 0.5 at 7.5 nats; times in seconds since 1970.
    """

    session: str
    nats: float
    score: float
    is_anomaly: bool
    ended: bool
    reasons: tuple[str, ...]
    lines: int
    first_s: float
    last_s: float


@dataclass(slots=True)
class _Open:
    """A session in flight: no lines are kept, only counts and its transitions' surprise."""

    counts: dict[int, int]
    before: int
    first_s: float
    last_s: float
    lines: int = 0
    steps_sum: float = 0.0
    worst: tuple[int, int] = (0, 0)
    worst_nats: float = -1.0
    highest: float = 0.0

    def step(self, before: int, after: int, nats: float) -> None:
        self.steps_sum += nats
        if nats >= self.worst_nats:
            self.worst, self.worst_nats = (before, after), nats


class Sessions:
    """Sessions in flight: takes lines in order, gives a verdict when a session first alarms, ends, or times out.

    At most `max_open` sessions are held, the least recently used one is judged and let go; of each at most 512 distinct
    templates are counted. A line that is late does not turn the session's clock back. Memory: about 1 KiB a session.
    """

    def __init__(
        self,
        model: SessionModel,
        *,
        timeout_s: float = TIMEOUT_S,
        max_open: int = MAX_OPEN,
        threshold_nats: float = THRESHOLD_NATS,
        texts: Mapping[int, str] | None = None,
    ) -> None:
        self.model = model
        self._fingerprint = model.fingerprint()
        self.threshold_nats = threshold_nats
        self._timeout_s, self._max_open = timeout_s, max_open
        self._texts = texts if texts is not None else {}
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._places = {key: i for i, key in enumerate(model.usual.keys.tolist())}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, session: str, template: int, time_s: float) -> list[SessionVerdict]:
        """Take one line (template key, seconds since 1970); what timed out by then, and an alarm of its own session."""
        said = self.tick(time_s)
        held = self._open.get(session)
        outside = len(self._places)
        if held is None:
            if len(self._open) >= self._max_open:
                said.append(self._judge(*self._open.popitem(last=False)))
            held = self._open[session] = _Open({}, outside, time_s, time_s)
        self._open.move_to_end(session)
        held.last_s = max(held.last_s, time_s)
        held.lines += 1
        code = self._places.get(template, outside + 1)
        held.step(held.before, code, self.model.usual.one_step_nats(held.before, code))
        held.before = code
        if template in held.counts or len(held.counts) < MAX_TEMPLATES_OPEN:
            count = held.counts[template] = held.counts.get(template, 0) + 1
            if (count <= EACH_TIME or count & (count - 1) == 0) and self._surprises(code, count):
                said.extend(self._alarm(session, held))
        return said

    def end(self, session: str) -> SessionVerdict | None:
        """The verdict of a session that is known to be over; None where it is not open."""
        held = self._open.pop(session, None)
        return None if held is None else self._judge(session, held)

    def tick(self, now_s: float) -> list[SessionVerdict]:
        """The verdicts of sessions without a line for longer than the time-out, least recently used first."""
        said = []
        while self._open:
            session, held = next(iter(self._open.items()))
            if now_s - held.last_s <= self._timeout_s:
                break
            del self._open[session]
            said.append(self._judge(session, held))
        return said

    def close(self) -> list[SessionVerdict]:
        """The verdicts of all that is open; nothing is afterwards."""
        said = [self._judge(session, held) for session, held in self._open.items()]
        self._open.clear()
        return said

    def state(self) -> bytes:
        """What is open, as JSON: to be saved with the reader's position."""
        rows = [
            [session, list(map(list, held.counts.items())), held.before, held.first_s, held.last_s, held.lines,
             held.steps_sum, *held.worst, held.worst_nats, held.highest]
            for session, held in self._open.items()
        ]  # fmt: skip
        return json.dumps({"model": self._fingerprint, "open": rows}).encode()

    def restore(self, state: bytes) -> None:
        """Take up what `state` gave under the same model; sessions opened under another one are dropped."""
        try:
            found = json.loads(state)
            rows = found["open"] if found["model"] == self._fingerprint else []
            self._open = OrderedDict(
                (row[0], _Open(dict(row[1]), row[2], row[3], row[4], row[5], row[6], (row[7], row[8]), row[9], row[10]))
                for row in rows
            )
        except (KeyError, IndexError, TypeError, ValueError) as exc:
            raise ArtifactError(f"read open sessions: {exc!r}; start without them") from exc

    def _surprises(self, code: int, count: int) -> bool:
        usual = self.model.usual
        return code >= len(self._places) or usual.up_nats(np.array([code]), np.array([count]))[0] > REASON_NATS

    def _alarm(self, session: str, held: _Open) -> list[SessionVerdict]:
        """A verdict where the session passes the threshold for the first time."""
        before = held.highest
        held.highest = max(before, float(self.model.so_far(self._content(held))[0]))
        if not before < self.threshold_nats <= held.highest:
            return []
        content = self._content(held)
        tails = self.model.part_tail.nats(self.model.usual.rising(content))
        known = {**self._texts, **self.model.texts}
        reasons = next(reasons_of(self.model.usual, content, tails, [0], known))
        return [self._verdict(session, held, held.highest, reasons, ended=False)]

    def _judge(self, session: str, held: _Open) -> SessionVerdict:
        outside = len(self._places)
        held.step(held.before, outside, self.model.usual.one_step_nats(held.before, outside))
        nats, reasons = self.model.judge(self._content(held, 1), self._texts)
        return self._verdict(session, held, float(nats[0]), reasons[0], ended=True)

    def _content(self, held: _Open, ends: int = 0) -> Content:
        keys = np.array(list(held.counts), np.uint64)
        code, unseen = self.model.usual.code(keys)
        count = np.array(list(held.counts.values()), np.int64)
        order = np.argsort(code)
        steps = np.array([held.steps_sum / (held.lines + ends)])
        return Content(
            1, np.zeros(len(code), np.int64), code[order], count[order], steps,
            np.array([held.worst]), np.array([held.worst_nats]), unseen, failing(unseen, self._texts),
        )  # fmt: skip

    def _verdict(
        self, session: str, held: _Open, nats: float, reasons: tuple[str, ...], *, ended: bool
    ) -> SessionVerdict:
        return SessionVerdict(
            session,
            nats,
            nats_to_score(nats),
            nats >= self.threshold_nats,
            ended,
            reasons,
            held.lines,
            held.first_s,
            held.last_s,
        )
