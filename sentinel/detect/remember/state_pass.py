"""The state pass: one kernel that walks integer-coded lines in order and says, for each, what its past looks like."""

import numpy as np

from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.kernel.hashing import mix
from sentinel.detect.kernel.jit import Floats, Hashes, compiled
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
    HEAVIEST,
    HITS,
    NEWEST,
    PREVIOUS,
    TAUGHT,
    TIME,
    WALKED,
    WINDOW_START,
    WINDOWS,
    Memory,
    Table,
    age,
    bump,
    find,
    touch,
)
from sentinel.detect.read.coded import Line
from sentinel.detect.read.scan_buffers import IP, PARAM, SESSION, USER
from sentinel.detect.remember.polite import FORGIVEN, POLITE_A_S, done, leave_out
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.memory import DISTINCT_TAU_S, TAUS_S
from sentinel.detect.tuning.remember import BURST_GAP_S, CONNECT_WEIGHT, NUMBER_ALPHA, WINDOW_S

__all__ = ["NUMBER_ALPHA", "TOUCHES_A_LINE", "walk"]

TOUCHES_A_LINE = 28  # places that one line changes at most
START = np.uint64(1)  # stands for the template before a session's first
NONE = np.uint64(0)


@compiled
def _first(rows: Floats, place: int, t: float) -> float:
    """1 where a pair was not seen within the span of distinct counts, else 0; to be asked before it is bumped."""
    fresh = rows[place, COUNT2] == 0.0 or t - rows[place, TIME] > DISTINCT_TAU_S
    return 1.0 if fresh else 0.0


@compiled
def _three(rows: Floats, place: int, out: Floats, at: int) -> None:
    out[at], out[at + 1], out[at + 2] = rows[place, COUNT0], rows[place, COUNT1], rows[place, COUNT2]


@compiled
def _without_heaviest(
    table: Table, place: int, mine: np.uint64, my_count: float, others: Table, t: float, out: Floats, at: int
) -> None:
    """The rate of a key without its heaviest other contributor, so that a bystander is not blamed for a flood."""
    _three(table.rows, place, out, at)
    heaviest = table.aux[place, HEAVIEST]
    if heaviest == mine:
        return
    other = find(others, heaviest) if heaviest != NONE else -1
    if other < 0:
        table.aux[place, HEAVIEST] = mine
        return
    dt = max(t - others.rows[other, TIME], 0.0)
    count1 = others.rows[other, COUNT1] * np.exp(-dt / TAUS_S[1])
    if my_count > count1:
        table.aux[place, HEAVIEST] = mine
        return
    out[at] = max(out[at] - others.rows[other, COUNT0] * np.exp(-dt / TAUS_S[0]), 1.0)
    out[at + 1] = max(out[at + 1] - count1, 1.0)
    out[at + 2] = max(out[at + 2] - others.rows[other, COUNT2] * np.exp(-dt / TAUS_S[2]), 1.0)


@compiled
def _hits_then(memory: Memory, which: int, key: np.uint64, t: float, taught: float) -> float:
    """The hits of a key before this line, which then counts."""
    place = touch(memory, which, key, t)
    rows = memory.core.rows if which == CORE else memory.edge.rows
    hits = rows[place, HITS]
    rows[place, HITS] += taught
    return hits


@compiled
def _transitions(
    memory: Memory, source: np.uint64, template: np.uint64, session: np.uint64, t: float, taught: float, out: Floats
) -> None:
    """How often this template came after the one before it, in its source and in its session.

    Of what came after it in sessions the lines of this source count: each source begins and goes on in its own way, and
    where the numbers of two happen to be equal, nothing is out of order.
    """
    core = memory.core
    place = touch(memory, CORE, mix(Key.SOURCE, source, NONE), t)
    before = core.aux[place, PREVIOUS]
    core.aux[place, PREVIOUS] = template
    if before == NONE:
        before = START
    out[COLUMN.hits_after_source] = _hits_then(memory, CORE, mix(Key.AFTER, before, template), t, taught)
    out[COLUMN.hits_before_source] = _hits_then(memory, CORE, mix(Key.BEFORE, before, NONE), t, taught)
    out[COLUMN.hits_after_session], out[COLUMN.hits_before_session] = -1.0, -1.0
    if session != NONE:
        place = touch(memory, EDGE, mix(Key.SESSION, session, NONE), t)
        before = memory.edge.aux[place, PREVIOUS]
        memory.edge.aux[place, PREVIOUS] = template
        if before == NONE:
            before = START
        out[COLUMN.hits_after_session] = _hits_then(memory, CORE, mix(Key.AFTER_SESSION, before, template), t, taught)
        out[COLUMN.hits_before_session] = _hits_then(memory, CORE, mix(Key.BEFORE_SESSION, before, source), t, taught)


@compiled
def _actor_rates(
    memory: Memory,
    actor: np.uint64,
    template: np.uint64,
    at_template: int,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
) -> np.uint64:
    """Rates of the actor and of its pair with the template, and their distinct counts; returns the pair's key."""
    edge, core = memory.edge, memory.core
    pair_key = mix(Key.ACTOR_TEMPLATE, actor, template)
    pair = touch(memory, EDGE, pair_key, t)
    fresh = _first(edge.rows, pair, t)
    out[COLUMN.new_address] = edge.rows[pair, HITS]
    bump(edge.rows, pair, t, taught)
    mine = touch(memory, EDGE, mix(Key.ACTOR, actor, NONE), t)
    bump(edge.rows, mine, t, taught)
    edge.rows[mine, DISTINCT0] += fresh if flags & Flag.USUAL == 0 else 0.0
    core.rows[at_template, DISTINCT0] += fresh
    _three(edge.rows, mine, out, COLUMN.actor0)
    _three(edge.rows, pair, out, COLUMN.pair0)
    out[COLUMN.actor_templates] = edge.rows[mine, DISTINCT0]
    out[COLUMN.template_actors] = core.rows[at_template, DISTINCT0]
    return pair_key


@compiled
def _pairs(
    memory: Memory,
    address: np.uint64,
    user: np.uint64,
    param: np.uint64,
    template: np.uint64,
    at_template: int,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
) -> None:
    """First-seen flags and distinct counts of user, address and parameter."""
    edge = memory.edge
    if user != NONE:
        place = touch(memory, EDGE, mix(Key.TEMPLATE_USER, template, user), t)
        memory.core.rows[at_template, DISTINCT1] += _first(edge.rows, place, t)
        out[COLUMN.new_user] = edge.rows[place, HITS]
        out[COLUMN.template_users] = memory.core.rows[at_template, DISTINCT1]
        bump(edge.rows, place, t, taught)
    if address != NONE and user != NONE:
        place = touch(memory, EDGE, mix(Key.ACTOR_USER, address, user), t)
        fresh = _first(edge.rows, place, t)
        out[COLUMN.new_pair] = edge.rows[place, HITS]
        bump(edge.rows, place, t, taught)
        place = touch(memory, EDGE, mix(Key.USER, user, NONE), t)
        bump(edge.rows, place, t, taught)
        edge.rows[place, DISTINCT0] += fresh
        out[COLUMN.user_actors] = edge.rows[place, DISTINCT0]
        place = touch(memory, EDGE, mix(Key.ACTOR, address, NONE), t)
        edge.rows[place, DISTINCT1] += fresh
        out[COLUMN.actor_users] = edge.rows[place, DISTINCT1]
    actor = address if address != NONE else user
    if actor != NONE and param != NONE and flags & Flag.USUAL == 0:
        place = touch(memory, EDGE, mix(Key.ACTOR_PARAM, actor, param), t)
        fresh = _first(edge.rows, place, t)
        bump(edge.rows, place, t, taught)
        place = touch(memory, EDGE, mix(Key.ACTOR, actor, NONE), t)
        edge.rows[place, DISTINCT2] += fresh
        out[COLUMN.actor_params] = edge.rows[place, DISTINCT2]


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
    _three(rows, place, out, COLUMN.failures0)
    out[COLUMN.burst_lines] = lines + 1.0
    out[COLUMN.burst_s] = max(t - start, 0.0)


@compiled
def _manners(
    memory: Memory, actor: np.uint64, param: np.uint64, flags: int, t: float, taught: float, out: Floats
) -> None:
    """What an actor does as usual is left out of its rates, and makes up for as many mistakes: whoever stands for many
    people, or is only diligent, is no attacker. What others do seldom and by mistake counts as failed log-ins do, in
    any language; of things that are not there (LOST) only different ones count.
    """
    edge = memory.edge
    usual = mix(Key.USUAL, actor, NONE)
    if flags & Flag.USUAL:
        place = touch(memory, EDGE, usual, t)
        bump(edge.rows, place, t, taught)
        is_polite = out[COLUMN.pair0] < POLITE_A_S * TAUS_S[0]
        for k in range(3):
            if is_polite:
                leave_out(out, k, out[COLUMN.pair0 + k], True)
            out[COLUMN.pair0 + k] = 0.0
            out[COLUMN.actor0 + k] = max(out[COLUMN.actor0 + k] - edge.rows[place, COUNT0 + k], 0.0)
        return
    place = find(edge, usual)
    if place >= 0:
        for k in range(3):
            out[COLUMN.failures0 + k] = done(edge, place, k, t)
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
            leave_out(out, k, FORGIVEN * done(edge, place, k, t), False)
        params = out[COLUMN.actor_params]
        out[COLUMN.actor_params] = min(params, max(params - FORGIVEN * done(edge, place, 1, t), 1.0))


@compiled
def _failures(
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
            since = max(t - edge.rows[place, TIME], 0.0)
            for k in range(3):
                out[COLUMN.failures0 + k] = edge.rows[place, COUNT0 + k] * np.exp(-since / TAUS_S[k])
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
        edge.rows[place, DISTINCT2] += _first(edge.rows, guess, t)
        bump(edge.rows, guess, t, 0.0)
    out[COLUMN.guessed_users] = edge.rows[place, DISTINCT2]
    all_failures = touch(memory, CORE, mix(Key.SOURCE_FAILURES, source, NONE), t)
    bump(core.rows, all_failures, t, 0.0)
    core.rows[all_failures, DISTINCT0] += fresh
    if user != NONE:
        place = touch(memory, EDGE, mix(Key.FAILING_USER, source, user), t)
        core.rows[all_failures, DISTINCT1] += _first(edge.rows, place, t)
        bump(edge.rows, place, t, 0.0)
        out[COLUMN.user_failures] = edge.rows[place, COUNT2]
    out[COLUMN.failing_actors] = core.rows[all_failures, DISTINCT0]
    out[COLUMN.failing_users] = core.rows[all_failures, DISTINCT1]
    _without_heaviest(core, all_failures, key, my_count, edge, t, out, COLUMN.source_failures0)


@compiled
def _means(memory: Memory, template: np.uint64, numbers: Floats, t: float, taught: float, out: Floats) -> None:
    """Moving means of the logarithms of a template's numbers (what a slow-down moves, and one odd value does not)."""
    out[COLUMN.mean0 : COLUMN.mean0 + 4] = np.nan
    if np.isnan(numbers[0]):
        return
    place = touch(memory, CORE, mix(Key.NUMBERS, template, NONE), t)
    row = memory.core.rows[place]
    seen = row[DISTINCT1]
    share = max(NUMBER_ALPHA, 1.0 / (seen + 1.0))
    for k in range(4):
        if numbers[k] > 0.0:  # a 0 says that there is none: in logarithms it would outweigh all others
            slot = COUNT0 + k if k < 3 else DISTINCT0
            row[slot] += share * (np.log1p(numbers[k]) - row[slot])
            out[COLUMN.mean0 + k] = row[slot]
    row[DISTINCT1] = seen + 1.0
    row[HITS] += taught
    out[COLUMN.means_seen] = seen


@compiled
def _counts(
    memory: Memory, source: np.uint64, template: np.uint64, level: int, t: float, taught: float, out: Floats
) -> None:
    """Hits of source, source × template and source × level before this line, and the source's gap and rate."""
    core = memory.core
    place = touch(memory, CORE, mix(Key.SOURCE, source, NONE), t)
    out[COLUMN.hits_source] = core.rows[place, HITS]
    out[COLUMN.gap_source] = max(t - core.rows[place, TIME], 0.0) if core.rows[place, COUNT2] > 0.0 else -1.0
    bump(core.rows, place, t, taught)
    place = touch(memory, CORE, mix(Key.TEMPLATE_SOURCE, source, template), t)
    row = core.rows[place]
    out[COLUMN.hits_template_source], out[COLUMN.windows_template] = row[HITS], row[COUNT0]
    row[HITS] += taught
    if taught > 0.0 and (row[COUNT0] == 0.0 or not row[COUNT1] - 3600.0 < t < row[COUNT1] + WINDOW_S):
        row[COUNT0] += 1.0
        row[COUNT1] = t
    out[COLUMN.hits_level_source] = -1.0
    if level >= Level.WARN:
        key = mix(Key.LEVEL_SOURCE, source, np.uint64(level))
        out[COLUMN.hits_level_source] = _hits_then(memory, CORE, key, t, taught)


@compiled
def _source_rates(memory: Memory, source: np.uint64, template_key: np.uint64, bad: bool, t: float, out: Floats) -> None:
    """Rates of the source, of its bad lines and of all bad lines, each without its heaviest other contributor."""
    core = memory.core
    place = touch(memory, CORE, template_key, t)
    my_count = core.rows[place, COUNT1]
    place = touch(memory, CORE, mix(Key.SOURCE, source, NONE), t)
    _without_heaviest(core, place, template_key, my_count, core, t, out, COLUMN.source0)
    if bad:
        bad_key = mix(Key.SOURCE_BAD, source, NONE)
        place = touch(memory, CORE, bad_key, t)
        bump(core.rows, place, t, 0.0)
        _without_heaviest(core, place, template_key, my_count, core, t, out, COLUMN.source_bad0)
        my_count = core.rows[place, COUNT1]
        place = touch(memory, CORE, mix(Key.ALL_BAD, NONE, NONE), t)
        bump(core.rows, place, t, 0.0)
        _without_heaviest(core, place, bad_key, my_count, core, t, out, COLUMN.all_bad0)


@compiled
def _count_window(counters: Floats, t: float, taught: float) -> None:
    if taught > 0.0 and (
        counters[WINDOWS] == 0.0 or not counters[WINDOW_START] - 3600.0 < t < counters[WINDOW_START] + WINDOW_S
    ):
        counters[WINDOWS] += 1.0
        counters[WINDOW_START] = t


@compiled
def _step(
    memory: Memory,
    t: float,
    level: int,
    source: np.uint64,
    template: np.uint64,
    flags: int,
    entities: Hashes,
    numbers: Floats,
    taught: float,
    out: Floats,
) -> None:
    address, user, session, param = entities[IP], entities[USER], entities[SESSION], entities[PARAM]
    actor = address if address != NONE else user
    out[COLUMN.template0 : COLUMN.new_address] = 0.0
    out[COLUMN.new_address], out[COLUMN.new_user], out[COLUMN.new_pair] = -1.0, -1.0, -1.0
    out[COLUMN.burst_lines], out[COLUMN.burst_s], out[COLUMN.means_seen], out[COLUMN.user_failures] = 0.0, 0.0, 0.0, 0.0
    out[COLUMN.guessed_users], out[COLUMN.known_actor] = 0.0, 0.0
    out[COLUMN.lines], out[COLUMN.windows] = memory.counters[TAUGHT], memory.counters[WINDOWS]
    _counts(memory, source, template, level, t, taught, out)
    _transitions(memory, source, template, session, t, taught, out)
    key = mix(Key.TEMPLATE, template, NONE)
    at_template = touch(memory, CORE, key, t)
    rows = memory.core.rows
    out[COLUMN.hits_template] = rows[at_template, HITS]
    out[COLUMN.gap_template] = max(t - rows[at_template, TIME], 0.0) if rows[at_template, COUNT2] > 0.0 else -1.0
    bump(rows, at_template, t, taught)
    _source_rates(memory, source, key, flags & Flag.BAD != 0 or level >= Level.WARN, t, out)
    if actor != NONE:
        pair_key = _actor_rates(memory, actor, template, at_template, flags, t, taught, out)
        mine = out[COLUMN.pair1]
        _without_heaviest(memory.core, at_template, pair_key, mine, memory.edge, t, out, COLUMN.template0)
        if address == NONE:
            out[COLUMN.new_address] = -1.0
        _pairs(memory, address, user, param, template, at_template, flags, t, taught, out)
        if flags & (Flag.AUTH_FAILURE | Flag.ACCEPTED | Flag.CONNECT):
            _failures(memory, source, actor, user, flags, t, taught, out)
        else:
            _manners(memory, actor, param, flags, t, taught, out)
    else:
        _three(rows, at_template, out, COLUMN.template0)
    out[COLUMN.hits_probe] = -1.0
    if flags & Flag.PROBE:
        out[COLUMN.hits_probe] = _hits_then(memory, CORE, mix(Key.PROBE, source, NONE), t, taught)
    _means(memory, template, numbers, t, taught, out)
    _count_window(memory.counters, t, taught)
    memory.counters[TAUGHT] += taught
    memory.counters[WALKED] += 1.0
    memory.counters[NEWEST] = max(memory.counters[NEWEST], t)


@compiled
def walk(memory: Memory, lines: Line, raw: Floats) -> None:
    """Walk n lines in order; fill raw (n, len(RAW)) and move the memory on.

    `entities` (n, 4): hashes of address, user, session, parameter, 0 = none. `taught` is 1 for lines that count as
    history, 0 for those that only keep the clocks and rates going. With an undo log, every change can be rolled back;
    raises IndexError where it has no room left.
    """
    for i in range(len(lines.times)):
        _step(
            memory,
            lines.times[i],
            lines.levels[i],
            lines.sources[i],
            lines.templates[i],
            lines.flags[i],
            lines.entities[i],
            lines.numbers[i],
            lines.taught[i],
            raw[i],
        )
