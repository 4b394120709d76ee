"""The session pass: one kernel that keeps open sessions in bounded memory and says when one alarms or had ended."""

import numpy as np
import numpy.typing as npt

from sentinel.detect.kernel.jit import Floats, Hashes, Integers, compiled
from sentinel.detect.sessions.session_arrays import (
    ALARMED,
    BEFORE,
    BEFORE_S,
    BORN,
    CLOCK,
    COUNT_BITS,
    DONE,
    EXTRA,
    FAILING,
    FIRST,
    FULL,
    HEAD,
    HIGHEST,
    JUDGED,
    LAST,
    LINES,
    LINES_SEEN,
    MAX_COUNT,
    OFTEN,
    SAID,
    STEPS,
    USED,
    WORST_A,
    WORST_B,
    WORST_NATS,
    Log,
    Open,
    Rules,
    Tail1,
)
from sentinel.detect.tuning.sessions import CELLS, JUMP_S, WAYS

__all__ = ["advance", "place_of", "take_back"]

BUCKETS_UP = 48
_LN2 = np.log(2.0)


@compiled
def _tail(tail: Tail1, value: float) -> float:
    n = len(tail.knots)
    reached = n - np.searchsorted(tail.knots, value - 0.01)
    nats = -np.log((reached + 0.5) / (n + 1.0))
    for k in range(len(tail.start)):
        if value > tail.start[k] + 0.01:
            nats = max(nats, tail.base[k] + (value - tail.start[k]) / tail.scale[k])
    return min(max(nats, 0.0), 25.0)


@compiled
def _up(rules: Rules, code: int, count: int) -> float:
    """How surprising it is that there are so many lines of a template, beyond what half of all sessions have."""
    bucket = count
    if count >= 32:
        bucket = min(32 + int(np.floor(np.log2(count / 32.0) * 4.0)), BUCKETS_UP - 1)
    beyond = np.log2(count / max(rules.most[code], 1))
    return max(rules.up[code, bucket] + max(beyond, 0.0) * 2.0 * _LN2 - _LN2, 0.0)


@compiled
def _often(rules: Rules, code: int, count: int) -> float:
    """How much more surprising that is than one line of it."""
    if code >= len(rules.most):
        return _LN2 * min(count - 1, 4)
    return _up(rules, code, count) - _up(rules, code, 1)


@compiled
def _step_nats(rules: Rules, before: int, after: int) -> float:
    wanted = before * (len(rules.most) + 2) + after
    place = np.searchsorted(rules.pairs, wanted)
    nats = rules.other_nats[before]
    if place < len(rules.pairs) and rules.pairs[place] == wanted:
        nats = rules.pair_nats[place]
    return min(nats, rules.ceiling)


@compiled
def place_of(keys: Hashes, session: np.uint64) -> int:
    """Where a session is held, or −1."""
    base = int(np.int64(session & np.uint64(len(keys) // WAYS - 1))) * WAYS
    for i in range(base, base + WAYS):
        if keys[i] == session:
            return i
    return -1


@compiled
def _room(held: Open, session: np.uint64) -> int:
    """A place for a new session: a free one, else that of the one used longest ago, judged ones first."""
    base = int(np.int64(session & np.uint64(len(held.keys) // WAYS - 1))) * WAYS
    best, worth = base, np.inf
    for i in range(base, base + WAYS):
        if held.keys[i] == 0:
            return i
        w = held.head[i, USED] - (held.counters[LINES_SEEN] + 1.0 if held.head[i, JUDGED] > 0.0 else 0.0)
        if w < worth:
            best, worth = i, w
    return best


@compiled
def _begin(held: Open, rules: Rules, place: int, session: np.uint64, t: float, code: int) -> None:
    held.keys[place] = session
    held.head[place, :] = 0.0
    held.cells[place, :] = 0
    held.head[place, FIRST] = t
    held.head[place, LAST] = t
    held.head[place, WORST_NATS] = -1.0
    if not rules.opens[code] and t - held.counters[BORN] < rules.longest_s:
        held.head[place, SAID] = 2.0  # it may have begun before we looked


@compiled
def _count(held: Open, place: int, number: int) -> int:
    """The lines of a template in a session, this one included; 0 where there is no room to count it."""
    cells = held.cells[place]
    for k in range(CELLS):
        if cells[k] == 0:
            cells[k] = np.uint32((number << COUNT_BITS) + 1)
            return 1
        if np.int64(cells[k]) >> COUNT_BITS == number:
            count = int(np.int64(cells[k])) & MAX_COUNT
            if count < MAX_COUNT:
                cells[k] += np.uint32(1)
                return count + 1
            return 0
    return 0


@compiled
def _highest(held: Open, rules: Rules, place: int) -> float:
    extra = min(_tail(rules.extra, np.sqrt(held.head[place, EXTRA])), rules.cap)
    often = min(_tail(rules.often, np.sqrt(held.head[place, OFTEN])), rules.cap)
    failing = min(_tail(rules.failing, np.sqrt(held.head[place, FAILING])), rules.cap)
    return _tail(rules.norm, np.sqrt(extra * extra + often * often + failing * failing + rules.rest))


@compiled
def _grow(rules: Rules, head: Floats, code: int, count: int, fails: bool) -> bool:
    """Add what a template's newest line makes strange; whether there is anything."""
    if count == 1:
        added = rules.unseen_nats if code >= len(rules.most) else _up(rules, code, 1)
        head[EXTRA] += added * added
        if fails:
            head[FAILING] += added * added
        return added > 0.0
    before, now = _often(rules, code, count - 1), _often(rules, code, count)
    head[OFTEN] += now * now - before * before
    return now > before


@compiled
def _take(held: Open, rules: Rules, place: int, number: int, code: int, t: float, threshold: float) -> bool:
    """Take a line into its session; whether the session alarms for the first time."""
    head, v = held.head[place], len(rules.most)
    before = rules.code[np.int64(head[BEFORE])] if head[BEFORE] > 0.0 else v
    before = before if before >= 0 else v + 1  # of a kind that another model told apart
    nats = _step_nats(rules, before, code)
    if nats >= head[WORST_NATS]:
        head[WORST_A], head[WORST_B], head[WORST_NATS] = head[BEFORE], number, nats
    head[STEPS] += nats
    head[BEFORE] = number
    head[LAST] = max(head[LAST], t)
    head[LINES] += 1.0
    head[USED] = held.counters[LINES_SEEN]
    head[JUDGED] = 0.0
    count = _count(held, place, number)
    if count == 0 or not _grow(rules, head, code, count, rules.fails[number]):
        return False
    before_nats = head[HIGHEST]
    head[HIGHEST] = max(before_nats, _highest(held, rules, place))
    return before_nats < threshold <= head[HIGHEST] and head[SAID] == 0.0


@compiled
def _move_clock(counters: Floats, t: float) -> None:
    """One line alone does not put the clock forward: the one before has to be as late."""
    if counters[LINES_SEEN] == 0.0:
        counters[CLOCK], counters[BEFORE_S], counters[BORN] = t, t, t
    agreed = min(t, counters[BEFORE_S])
    if agreed > counters[CLOCK] or agreed < counters[CLOCK] - JUMP_S:
        counters[CLOCK] = agreed
    counters[BEFORE_S] = t
    counters[LINES_SEEN] += 1.0


@compiled
def _copy(
    head: Floats, cells: npt.NDArray[np.uint32], at: int, head_to: Floats, cells_to: npt.NDArray[np.uint32], to: int
) -> None:
    for k in range(HEAD):
        head_to[to, k] = head[at, k]
    for k in range(CELLS):
        cells_to[to, k] = cells[at, k]


@compiled
def _remember(log: Log, i: int, held: Open, place: int) -> None:
    if len(log.where) > 0:
        log.where[i] = place
        log.keys[i] = held.keys[place]
        _copy(held.head, held.cells, place, log.head, log.cells, i)


@compiled
def advance(
    held: Open,
    rules: Rules,
    sessions: Hashes,
    numbers: Integers,
    times: Floats,
    start: int,
    threshold: float,
    log: Log,
    over: Log,
    latest: Integers,
    taken: int,
) -> tuple[int, int, int, int]:
    """Take lines from `start` on; where it stops: (line, place, entries in `over`, why).

    DONE: after the last line; ALARMED: after a line at which its session alarms; FULL: before a line, since `over` has
    no more room. `sessions` are hashes of ids (0: none), `numbers` those of the templates; a template never seen opens
    no session. A session that had timed out unjudged goes into `over` as it was, with its last line from `latest`
    (places,; `taken` lines came before these; negative: one of them), and then goes on, or begins anew with a line that
    opens sessions. `log` takes what every line
    changes, where it has room.
    """
    v, entries = len(rules.most), 0
    for i in range(start, len(sessions)):
        if sessions[i] == 0:
            continue
        number, t = numbers[i], times[i]
        code = rules.code[number]
        if code < 0:
            continue
        place = place_of(held.keys, sessions[i])
        if place < 0 and code >= v:
            continue
        fresh = place < 0
        if fresh:
            place = _room(held, sessions[i])
        head = held.head[place]
        ended = not fresh and t - head[LAST] > rules.timeout[np.int64(head[BEFORE])]
        timed_out = ended and head[JUDGED] == 0.0
        if timed_out and entries == len(over.where):
            return i, place, entries, FULL
        _remember(log, i, held, place)
        if timed_out:
            over.where[entries], over.keys[entries] = latest[place] - taken, sessions[i]
            _copy(held.head, held.cells, place, over.head, over.cells, entries)
            head[JUDGED] = 1.0
            entries += 1
        _move_clock(held.counters, t)
        if fresh or (ended and code < v and rules.opens[code]):  # an id that is used again
            _begin(held, rules, place, sessions[i], t, code)
        latest[place] = taken + i
        if _take(held, rules, place, number, code, t, threshold):
            return i, place, entries, ALARMED
    return len(sessions), -1, entries, DONE


@compiled
def take_back(held: Open, log: Log) -> None:
    """Undo what a log remembers, the newest line first."""
    for i in range(len(log.where) - 1, -1, -1):
        place = log.where[i]
        if place >= 0:
            held.keys[place] = log.keys[i]
            _copy(log.head, log.cells, i, held.head, held.cells, place)
