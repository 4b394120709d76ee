"""The state pass: one kernel that walks integer-coded lines in order and says, for each, what its past looks like."""

import numpy as np

from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.kernel.hashing import NONE, mix
from sentinel.detect.kernel.jit import Floats, Hashes, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.kernel.table import (
    CORE,
    COUNT0,
    COUNT1,
    COUNT2,
    DISTINCT0,
    DISTINCT1,
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
    bump,
    touch,
)
from sentinel.detect.read.coded import Line
from sentinel.detect.read.scan_buffers import IP, PARAM, SESSION, USER
from sentinel.detect.remember.actors import actor_pairs, actor_rates
from sentinel.detect.remember.failures import count_failures, count_slips
from sentinel.detect.remember.rates import hits_then, three_spans, without_heaviest
from sentinel.detect.remember.raw import COLUMN
from sentinel.detect.tuning.remember import NUMBER_ALPHA, WINDOW_S

__all__ = ["TOUCHES_A_LINE", "walk"]

TOUCHES_A_LINE = 28  # places that one line changes at most
START = np.uint64(1)  # stands for the template before a session's first


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
    out[COLUMN.hits_after_source] = hits_then(memory, CORE, mix(Key.AFTER, before, template), t, taught)
    out[COLUMN.hits_before_source] = hits_then(memory, CORE, mix(Key.BEFORE, before, NONE), t, taught)
    out[COLUMN.hits_after_session], out[COLUMN.hits_before_session] = -1.0, -1.0
    if session != NONE:
        place = touch(memory, EDGE, mix(Key.SESSION, session, NONE), t)
        before = memory.edge.aux[place, PREVIOUS]
        memory.edge.aux[place, PREVIOUS] = template
        if before == NONE:
            before = START
        out[COLUMN.hits_after_session] = hits_then(memory, CORE, mix(Key.AFTER_SESSION, before, template), t, taught)
        out[COLUMN.hits_before_session] = hits_then(memory, CORE, mix(Key.BEFORE_SESSION, before, source), t, taught)


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
        out[COLUMN.hits_level_source] = hits_then(memory, CORE, key, t, taught)


@compiled
def _source_rates(memory: Memory, source: np.uint64, template_key: np.uint64, bad: bool, t: float, out: Floats) -> None:
    """Rates of the source, of its bad lines and of all bad lines, each without its heaviest other contributor."""
    core = memory.core
    place = touch(memory, CORE, template_key, t)
    my_count = core.rows[place, COUNT1]
    place = touch(memory, CORE, mix(Key.SOURCE, source, NONE), t)
    without_heaviest(core, place, template_key, my_count, core, t, out, COLUMN.source0)
    if bad:
        bad_key = mix(Key.SOURCE_BAD, source, NONE)
        place = touch(memory, CORE, bad_key, t)
        bump(core.rows, place, t, 0.0)
        without_heaviest(core, place, template_key, my_count, core, t, out, COLUMN.source_bad0)
        my_count = core.rows[place, COUNT1]
        place = touch(memory, CORE, mix(Key.ALL_BAD, NONE, NONE), t)
        bump(core.rows, place, t, 0.0)
        without_heaviest(core, place, bad_key, my_count, core, t, out, COLUMN.all_bad0)


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
        pair_key = actor_rates(memory, actor, template, at_template, flags, t, taught, out)
        mine = out[COLUMN.pair1]
        without_heaviest(memory.core, at_template, pair_key, mine, memory.edge, t, out, COLUMN.template0)
        if address == NONE:
            out[COLUMN.new_address] = -1.0
        actor_pairs(memory, address, user, param, template, at_template, flags, t, taught, out)
        if flags & (Flag.AUTH_FAILURE | Flag.ACCEPTED | Flag.CONNECT):
            count_failures(memory, source, actor, user, flags, t, taught, out)
        else:
            is_heaviest = memory.core.aux[at_template, HEAVIEST] == pair_key
            count_slips(memory, actor, param, flags, t, taught, out, is_heaviest)
    else:
        three_spans(rows, at_template, out, COLUMN.template0)
    out[COLUMN.hits_probe] = -1.0
    if flags & Flag.PROBE:
        out[COLUMN.hits_probe] = hits_then(memory, CORE, mix(Key.PROBE, source, NONE), t, taught)
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
