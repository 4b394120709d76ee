"""The memory of the state pass: bounded, undoable, unhurt by late lines and jumping clocks."""

import itertools

import numpy as np
import pytest

from sentinel.detect.judge.combine import PARTS
from sentinel.detect.judge.habits import HABITS_A_LINE, settle
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Floats
from sentinel.detect.kernel.table import UNDO_LENGTH, Memory, UndoLog, roll_back
from sentinel.detect.read.coded import Line
from sentinel.detect.remember.raw import RAW, RAW_INDEX
from sentinel.detect.remember.state import empty_memory, pack, unpack
from sentinel.detect.remember.state_pass import TOUCHES_A_LINE, walk

SOURCE, TEMPLATE = hash_text("sshd"), hash_text("a template")


def lines(times: list[float], actors: list[int] | None = None, template: int = TEMPLATE, flags: int = 0) -> Line:
    n = len(times)
    entities = np.zeros((n, 4), np.uint64)
    if actors is not None:
        entities[:, 0] = actors
    return Line(
        np.array(times, np.float64),
        np.ones(n, np.int64),
        np.full(n, SOURCE, np.uint64),
        np.full(n, template, np.uint64),
        np.full(n, flags, np.int64),
        entities,
        np.full((n, 4), np.nan),
        np.ones(n),
    )


def walked(memory: Memory, some: Line) -> Floats:
    raw = np.empty((len(some.times), len(RAW)))
    with np.errstate(over="ignore"):
        walk(memory, some, raw)
    return raw


def of(raw: Floats, name: str) -> list[float]:
    return raw[:, RAW_INDEX[name]].tolist()


def same(left: Memory, right: Memory) -> bool:
    tables = ((left.core, right.core), (left.edge, right.edge), (left.habits, right.habits))
    pairs = [pair for one, other in tables for pair in zip(one, other, strict=True)]
    return all(np.array_equal(a, b) for a, b in pairs)


def test_counts_decay_with_time() -> None:
    """A rate counts the line itself and what is left of those before it."""
    raw = walked(empty_memory(core=1024, edge=1024), lines([0.0, 0.0, 15.0]))

    assert of(raw, "template0")[:2] == [1.0, 2.0]
    assert abs(of(raw, "template0")[2] - (1 + 2 * np.exp(-1))) < 1e-9
    assert abs(of(raw, "template2")[2] - (1 + 2 * np.exp(-15 / 1800))) < 1e-9
    assert of(raw, "hits_template") == [0.0, 1.0, 2.0]


def test_late_lines_count_as_of_now() -> None:
    """A line up to an hour late neither decays nor refreshes what is there."""
    raw = walked(empty_memory(core=1024, edge=1024), lines([1000.0, 900.0, 1000.0]))

    assert of(raw, "template0") == [1.0, 2.0, 3.0]


def test_a_jumping_clock_does_no_lasting_harm() -> None:
    """After one line from the far future, rates are those of the present again."""
    memory = empty_memory(core=1024, edge=1024)
    walked(memory, lines([0.0, 1.0, 4e9]))

    raw = walked(memory, lines([2.0, 3.0, 400.0]))

    assert of(raw, "template0")[0] == 1.0
    assert of(raw, "template0")[1] < 2.0
    assert of(raw, "template0")[2] < 1.1


def test_each_source_begins_and_goes_on_with_sessions_in_its_own_way() -> None:
    """Of what follows a template in sessions a source counts its own lines, whatever others do after equal numbers."""
    memory = empty_memory(core=1024, edge=1024)
    some = lines([float(i) for i in range(80)], [0] * 80)
    session = np.zeros((80, 4), np.uint64)
    session[:, 2] = np.arange(80) // 2 + 1
    here = some._replace(entities=session, sources=np.tile(np.array([5, 6], np.uint64), 40))

    raw = walked(memory, here)

    assert of(raw, "hits_before_session")[-2:] == [39.0, 39.0]
    assert of(walked(memory, here._replace(sources=np.full(80, 7, np.uint64))), "hits_before_session")[0] == 0.0


def test_many_actors_do_not_grow_the_memory() -> None:
    """A flood of distinct actors leaves the tables' size as it is, and the templates' counts untouched."""
    memory = empty_memory(core=1024, edge=4096)
    size = sum(array.nbytes for table in (memory.core, memory.edge) for array in table)
    actors = list(range(1, 50_001))

    raw = walked(memory, lines([i * 0.01 for i in range(50_000)], actors))

    assert sum(array.nbytes for table in (memory.core, memory.edge) for array in table) == size
    assert memory.edge.used <= 4096
    assert of(raw, "hits_template")[-1] == 49_999.0


def test_frequent_actors_outlive_a_flood() -> None:
    """What is used often is kept when space runs out; what was seen once gives way."""
    memory = empty_memory(core=1024, edge=4096)
    walked(memory, lines([float(i) for i in range(100)], [77] * 100))

    raw = walked(memory, lines([100.0 + i * 0.01 for i in range(1500)] + [200.0], [*range(1000, 2500), 77]))

    assert of(raw, "new_address")[-1] == 100.0


def test_rolling_back_restores_every_place() -> None:
    """An undo log undoes all changes, also of keys that gave way to others."""
    memory = empty_memory(core=64, edge=64)
    walked(memory, lines([float(i) for i in range(300)], list(range(1, 301))))
    before = memory.copy()
    borrowed = memory._replace(undo_log=UndoLog.sized(200 * TOUCHES_A_LINE), counters=memory.counters.copy())

    walked(borrowed, lines([300.0 + i for i in range(200)], list(range(1000, 1200)), flags=5))
    roll_back(borrowed)

    assert same(memory, before)


def every_line() -> Line:
    """Lines of all combinations of flags, levels and entities, each with numbers and all of it news."""
    kinds = [flags | manner for flags in range(64) for manner in (0, Flag.USUAL, Flag.SLIP, Flag.LOST)]
    every = list(itertools.product(kinds, (1, 4), (0, 1), (0, 1), (0, 1), (0, 1)))
    some = lines([float(i) for i in range(len(every))], flags=0)
    named = [[(9_000 * k + i + 1) * bits[2 + k] for k in range(4)] for i, bits in enumerate(every)]
    return some._replace(
        flags=np.array([bits[0] for bits in every]),
        levels=np.array([bits[1] for bits in every]),
        entities=np.array(named, np.uint64),
        numbers=np.ones((len(every), 4)),
        templates=np.arange(1, len(every) + 1).astype(np.uint64),
    )


def test_no_line_changes_more_places_than_the_undo_log_has_room_for() -> None:
    """Of all kinds of lines the worst changes just as many places, and habits, as the log of one line holds."""
    some, worst, worst_habits = every_line(), 0, 0
    memory = empty_memory(core=1 << 14, edge=1 << 14, habits=1 << 12)
    memory = memory._replace(undo_log=UndoLog.sized(1000))
    for i in range(len(some.times)):
        one = Line(*(part[i : i + 1] for part in some))
        memory.counters[UNDO_LENGTH] = 0.0
        raw = walked(memory, one)
        worst = max(worst, int(memory.counters[UNDO_LENGTH]))
        memory.counters[UNDO_LENGTH] = 0.0
        with np.errstate(over="ignore"):
            settle(memory, one, raw, np.full((1, len(PARTS)), 9.0))
        worst_habits = max(worst_habits, int(memory.counters[UNDO_LENGTH]))

    assert (worst, worst_habits) == (TOUCHES_A_LINE, HABITS_A_LINE)


@pytest.mark.parametrize("room", range(1, TOUCHES_A_LINE))
def test_a_full_undo_log_stops_the_walk_and_can_be_rolled_back(room: int) -> None:
    """A line that needs more room than there is raises; what it had changed is undone to the last bit."""
    some = every_line()
    memory = empty_memory(core=64, edge=64)
    walked(memory, lines([float(i) for i in range(300)], list(range(1, 301))))
    before = memory.copy()
    borrowed = memory._replace(undo_log=UndoLog.sized(room), counters=memory.counters.copy())

    with pytest.raises(IndexError, match="full"):
        walked(borrowed, Line(*(part[-1:] for part in some)))
    roll_back(borrowed)

    assert same(memory, before)


def test_state_survives_bytes() -> None:
    """A memory packed and unpacked goes on alike, to the last bit."""
    memory = empty_memory(core=1024, edge=1024)
    walked(memory, lines([float(i) for i in range(200)], [i % 30 + 1 for i in range(200)], flags=5))

    again, extra, _ = unpack(pack(memory, {"note": ["x", 2**63 + 5]}))

    assert extra == {"note": ["x", 2**63 + 5]}
    assert same(memory, again)
    after = lines([200.0, 201.0], [3, 4], flags=5)
    assert np.array_equal(walked(memory, after), walked(again, after), equal_nan=True)


def test_bystander_is_not_blamed_for_a_flood() -> None:
    """An innocent actor's line in another's flood sees the template's rate without the flood."""
    memory = empty_memory(core=1024, edge=1024)

    raw = walked(memory, lines([0.01 * i for i in range(200)] + [2.1], [5] * 200 + [9]))

    assert of(raw, "template0")[199] > 100.0
    assert of(raw, "template0")[200] < 3.0


def test_failures_count_attempts_and_the_burst() -> None:
    """Several failure templates of one attempt are one attempt; the burst counts lines and seconds."""
    memory = empty_memory(core=1024, edge=1024)
    first, second = lines([0.0], [5], TEMPLATE, 5), lines([0.1], [5], hash_text("other"), 5)

    walked(memory, first)
    raw = walked(memory, second)

    assert of(raw, "failures1")[0] < 1.1
    assert of(raw, "burst_lines") == [2.0]
    assert abs(of(raw, "burst_s")[0] - 0.1) < 1e-9


def test_untaught_lines_leave_no_history() -> None:
    """A line that does not teach keeps rates going and is still new the next time."""
    memory = empty_memory(core=1024, edge=1024)
    walked(memory, lines([0.0, 1.0])._replace(taught=np.zeros(2)))

    raw = walked(memory, lines([2.0]))

    assert of(raw, "hits_template") == [0.0]
    assert of(raw, "template0")[0] > 2.0
