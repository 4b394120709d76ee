"""Count failed log-ins and what is like them in any language: of the actor, the user and the source, in bursts."""

import numpy as np

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.hashing import NONE, mix
from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.kernel.table import (
    CORE,
    COUNT0,
    COUNT1,
    COUNT2,
    DISTINCT0,
    DISTINCT1,
    DISTINCT2,
    EDGE,
    HITS,
    TIME,
    Memory,
    Table,
    age,
    bump,
    find,
    touch,
)
from sentinel.detect.remember.polite import leave_out
from sentinel.detect.remember.rates import decayed, is_first, three_spans, without_heaviest
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.memory import DISTINCT_TAU_S, TAUS_S
from sentinel.detect.tuning.remember import BURST_GAP_S, CONNECT_WEIGHT, FORGIVEN, POLITE_A_S, POLITE_FAILURES

__all__ = ["count_failures", "count_slips"]


@compiled
def _count_failure(rows: Floats, place: int, t: float, weight: float, out: Floats) -> None:
    """Failed log-ins of an actor: attempts (its busiest failure template, as one writes several lines), the burst.

    What stands in the places of the result is taken off the attempts.
    """
    since = t - rows[place, TIME]
    start, lines = rows[place, DISTINCT0], rows[place, DISTINCT1]
    age(rows, place, t)
    if lines == 0.0 or since > BURST_GAP_S or since < -BURST_GAP_S:
        start, lines = t, 0.0
    rows[place, DISTINCT0], rows[place, DISTINCT1] = start, lines + 1.0
    for k in range(3):
        attempts = weight * out[COLUMN.pair0 + k] - out[COLUMN.failures0 + k]
        rows[place, COUNT0 + k] = max(rows[place, COUNT0 + k], attempts)
    three_spans(rows, place, out, COLUMN.failures0)
    out[COLUMN.burst_lines] = lines + 1.0
    out[COLUMN.burst_s] = max(t - start, 0.0)


@compiled
def _is_polite(edge: Table, usual: int, failed: int, t: float, out: Floats) -> bool:
    """Whether an actor does what is usual at a polite pace; what a guesser does between its guesses is not polite."""
    if out[COLUMN.pair0] >= POLITE_A_S * TAUS_S[0]:
        return False
    forgiven = POLITE_FAILURES + FORGIVEN * edge.rows[usual, COUNT1]
    return failed < 0 or decayed(edge.rows, failed, 1, t) <= forgiven


@compiled
def count_slips(
    memory: Memory,
    actor: np.uint64,
    param: np.uint64,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
    is_heaviest: bool,
) -> None:
    """What an actor does as usual is left out of its rates, and makes up for as many mistakes: whoever stands for many
    people, or is only diligent, is no attacker. What others do seldom and by mistake counts as failed log-ins do, in
    any language; of things that are not there (LOST) only different ones count. `is_heaviest`: nobody has more lines of
    this template. The rates of the source are spared that one alone: a crowd of polite clients is a flood.
    """
    edge = memory.edge
    usual = mix(Key.USUAL, actor, NONE)
    if flags & Flag.USUAL:
        place = touch(memory, EDGE, usual, t)
        bump(edge.rows, place, t, taught)
        is_polite = _is_polite(edge, place, find(edge, mix(Key.FAILURES, actor, NONE)), t, out)
        for k in range(3):
            if is_polite:
                leave_out(out, k, out[COLUMN.pair0 + k], is_heaviest)
            out[COLUMN.pair0 + k] = 0.0
            out[COLUMN.actor0 + k] = max(out[COLUMN.actor0 + k] - edge.rows[place, COUNT0 + k], 0.0)
        return
    place = find(edge, usual)
    if place >= 0:
        for k in range(3):
            out[COLUMN.failures0 + k] = decayed(edge.rows, place, k, t)
            out[COLUMN.actor0 + k] = max(out[COLUMN.actor0 + k] - out[COLUMN.failures0 + k], 1.0)
    if flags & Flag.SLIP or (flags & Flag.LOST and param != NONE):
        out[COLUMN.known_actor] = 1.0 if place >= 0 else 0.0
        for k in range(3):
            if flags & Flag.LOST:
                out[COLUMN.failures0 + k] += max(out[COLUMN.pair0 + k] - out[COLUMN.actor_params], 0.0)
        _count_failure(edge.rows, touch(memory, EDGE, mix(Key.FAILURES, actor, NONE), t), t, 1.0, out)
    else:
        out[COLUMN.failures0 : COLUMN.failures0 + 3] = 0.0
    if place >= 0 and flags & Flag.PROBE == 0 and (flags & (Flag.SLIP | Flag.LOST) or flags & Flag.BAD == 0):
        for k in range(3):
            leave_out(out, k, FORGIVEN * decayed(edge.rows, place, k, t), False)
        params = out[COLUMN.actor_params]
        out[COLUMN.actor_params] = min(params, max(params - FORGIVEN * decayed(edge.rows, place, 1, t), 1.0))


@compiled
def count_failures(
    memory: Memory,
    source: np.uint64,
    actor: np.uint64,
    user: np.uint64,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
) -> None:
    """Failed log-ins of the actor, of the user under attack, of the source; a log-in that worked sees its actor's."""
    edge, core = memory.edge, memory.core
    key = mix(Key.FAILURES, actor, NONE)
    known = find(edge, mix(Key.KNOWN, actor, NONE))
    out[COLUMN.known_actor] = 1.0 if known >= 0 else 0.0
    if flags & (Flag.AUTH_FAILURE | Flag.ACCEPTED) == 0:
        _count_failure(edge.rows, touch(memory, EDGE, key, t), t, CONNECT_WEIGHT, out)
        return
    if flags & Flag.AUTH_FAILURE == 0:
        place = find(edge, key)
        if place >= 0:
            for k in range(3):
                out[COLUMN.failures0 + k] = decayed(edge.rows, place, k, t)
            out[COLUMN.burst_lines] = edge.rows[place, DISTINCT1]
            out[COLUMN.burst_s] = t - edge.rows[place, DISTINCT0]
        known = touch(memory, EDGE, mix(Key.KNOWN, actor, NONE), t)
        edge.rows[known, HITS] += taught
        return
    place = touch(memory, EDGE, key, t)
    fresh = 1.0 if edge.rows[place, DISTINCT1] == 0.0 or t - edge.rows[place, TIME] > DISTINCT_TAU_S else 0.0
    _count_failure(edge.rows, place, t, 1.0, out)
    my_count = edge.rows[place, COUNT1]
    if user != NONE:
        guess = touch(memory, EDGE, mix(Key.GUESSED_USER, actor, user), t)
        edge.rows[place, DISTINCT2] += is_first(edge.rows, guess, t)
        bump(edge.rows, guess, t, 0.0)
    out[COLUMN.guessed_users] = edge.rows[place, DISTINCT2]
    all_failures = touch(memory, CORE, mix(Key.SOURCE_FAILURES, source, NONE), t)
    bump(core.rows, all_failures, t, 0.0)
    core.rows[all_failures, DISTINCT0] += fresh
    if user != NONE:
        place = touch(memory, EDGE, mix(Key.FAILING_USER, source, user), t)
        core.rows[all_failures, DISTINCT1] += is_first(edge.rows, place, t)
        bump(edge.rows, place, t, 0.0)
        out[COLUMN.user_failures] = edge.rows[place, COUNT2]
    out[COLUMN.failing_actors] = core.rows[all_failures, DISTINCT0]
    out[COLUMN.failing_users] = core.rows[all_failures, DISTINCT1]
    without_heaviest(core, all_failures, key, my_count, edge, t, out, COLUMN.source_failures0)
