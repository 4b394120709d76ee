"""What is loud most of the time is lowered; what is loud now and then, and the prior, are not."""

import numpy as np

from sentinel.detect.judge.combine import BULK, FLOOD, HABIT, NATS, PARTS, SPARSE
from sentinel.detect.judge.habits import HABITS_A_LINE, settle
from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.kernel.jit import Floats
from sentinel.detect.kernel.table import Memory, UndoLog, roll_back
from sentinel.detect.read.coded import Line
from sentinel.detect.remember.raw import RAW, RAW_INDEX
from sentinel.detect.remember.state import empty_memory, pack, unpack

HOUR_S, WINDOW_S = 3600.0, 600.0
OLD = 100.0  # windows in which a template was seen in training


def settled(
    memory: Memory,
    times: list[float],
    *,
    templates: list[int] | None = None,
    windows: float = OLD,
    flags: int = 0,
    **loud: float,
) -> Floats:
    """Nats of lines that are all as loud in the named channels."""
    n = len(times)
    raw, parts = np.zeros((n, len(RAW))), np.zeros((n, len(PARTS)))
    raw[:, RAW_INDEX["windows_template"]] = windows
    for name, nats in loud.items():
        parts[:, PARTS.index(name)] = nats
    lines = Line(
        np.array(times) + 1e9,
        np.ones(n, np.int64),
        np.full(n, hash_text("shop"), np.uint64),
        np.array(templates or [hash_text("a template")] * n, np.uint64),
        np.full(n, flags, np.int64),
        np.zeros((n, 4), np.uint64),
        np.full((n, 4), np.nan),
        np.ones(n),
    )
    with np.errstate(over="ignore"):
        settle(memory, lines, raw, parts)
    return parts


def test_a_loud_template_becomes_a_habit_within_hours() -> None:
    """A template that is loud in every window falls below the threshold within two hours and stays there."""
    nats = settled(empty_memory(), [i * WINDOW_S for i in range(72)], bulk=14.0)[:, NATS]

    assert nats[0] == 14.0
    assert (nats[12:] < 7.5).all()
    assert (np.diff(nats[:20]) <= 0).all()


def test_a_new_template_becomes_a_habit_at_once() -> None:
    """What training never saw is news once or twice, then it is there."""
    nats = settled(empty_memory(), [i * WINDOW_S for i in range(6)], windows=1.0, bulk=9.0)[:, NATS]

    assert nats[0] == 9.0
    assert (nats[3:] < 7.5).all()


def test_failures_become_a_habit_slowly() -> None:
    """What reads as failure stays news for hours, also where it is new; what goes on for a day is a habit too."""
    nats = settled(empty_memory(), [i * WINDOW_S for i in range(144)], windows=1.0, flags=Flag.BAD, bulk=12.0)[:, NATS]

    assert (nats[:12] == 12.0).all()
    assert nats[-1] < 7.5


def test_attacks_hours_apart_are_no_habit() -> None:
    """The same attack every eight hours is as loud the sixth time as it was the first."""
    nats = settled(empty_memory(), [i * 8 * HOUR_S for i in range(6)], bulk=9.0)[:, NATS]

    assert (nats == 9.0).all()


def test_within_a_window_nothing_is_lowered() -> None:
    """A flood of ten minutes is as loud at its end as at its start."""
    nats = settled(empty_memory(), [i * 1.0 for i in range(590)], flood=20.0)[:, NATS]

    assert (nats == 20.0).all()


def test_a_habit_of_one_channel_lowers_no_other() -> None:
    """Numbers that are always odd do not hide a flood of the same template."""
    memory = empty_memory()
    settled(memory, [i * WINDOW_S for i in range(72)], sparse=8.5)

    parts = settled(memory, [73 * WINDOW_S], sparse=8.5, flood=12.0)

    assert parts[0, HABIT + SPARSE - BULK] > 2.0
    assert parts[0, HABIT + FLOOD - BULK] == 0.0
    assert parts[0, NATS] == 12.0


def test_the_prior_is_no_habit() -> None:
    """Failed log-ins that go on for days go on being an alarm."""
    nats = settled(empty_memory(), [i * WINDOW_S for i in range(200)], prior=9.0, bulk=9.0)[:, NATS]

    assert (nats == 9.0).all()


def test_ever_new_templates_become_a_habit_of_their_source() -> None:
    """A source whose every window brings a line never seen is known for it; its known lines are untouched."""
    memory = empty_memory()

    novel = settled(memory, [i * WINDOW_S for i in range(60)], templates=list(range(1, 61)), windows=0.0, sparse=9.0)
    known = settled(memory, [61 * WINDOW_S], templates=[777], sparse=9.0)

    assert (novel[20:, NATS] < 7.5).all()
    assert known[0, NATS] == 9.0


def test_habits_are_the_same_one_by_one_after_a_restart_and_after_a_peek() -> None:
    """Batch, line by line with a save in between, and with look-ups rolled back: the same bits."""
    times = [i * 170.0 for i in range(400)]
    templates = [i * i % 37 + 1 for i in range(400)]
    whole = settled(empty_memory(habits=64), times, templates=templates, windows=1.0, bulk=9.0)

    memory, single = empty_memory(habits=64), []
    for i, (t, template) in enumerate(zip(times, templates, strict=True)):
        if i == 200:
            memory, _, _ = unpack(pack(memory, {}))
        peeked = memory._replace(undo_log=UndoLog.sized(HABITS_A_LINE), counters=memory.counters.copy())
        settled(peeked, [t], templates=[template], windows=1.0, bulk=25.0)
        roll_back(peeked)
        single.append(settled(memory, [t], templates=[template], windows=1.0, bulk=9.0)[0])

    assert np.array_equal(whole, np.array(single))


def test_a_decisive_feature_that_stays_is_a_habit_also_of_failures() -> None:
    """A failing template whose numbers have moved for good is known within hours; its floods stay news."""
    times = [i * WINDOW_S for i in range(40)]

    parts = settled(empty_memory(), times, flags=Flag.BAD, sparse=8.5, flood=12.0)

    assert parts[-1, HABIT + SPARSE - BULK] > 1.0
    assert parts[-1, NATS] > 7.5


def nights(*hours: float) -> list[float]:
    """Three lines each within a quarter hour, at these hours."""
    return [hour * HOUR_S + minute * 60.0 for hour in hours for minute in (0, 5, 14)]


def test_what_is_loud_each_night_is_known_from_the_third_on() -> None:
    """Two nights teach; where lines read as failures, three."""
    times = nights(1.0, 25.5, 48.5, 73.0)

    calm = settled(empty_memory(), times, bulk=11.0)[:, NATS].reshape(4, 3)
    failing = settled(empty_memory(), times, flags=Flag.BAD, bulk=11.0)[:, NATS].reshape(4, 3)

    assert calm.max(1)[:2].min() > 7.5
    assert calm[2:].max() < 7.5
    assert failing.max(1)[:3].min() > 7.5
    assert failing[3].max() < 7.5


def test_what_comes_thrice_a_day_or_misses_a_night_is_no_nightly_habit() -> None:
    """Three attacks within a day, or on Monday, Tuesday and Thursday, are as loud as the first."""
    often = settled(empty_memory(), nights(1.0, 9.0, 17.0), bulk=11.0)[:, NATS].reshape(3, 3)
    missed = settled(empty_memory(), nights(1.0, 25.0, 73.0), bulk=11.0)[:, NATS].reshape(3, 3)

    assert often.max(1).min() > 7.5
    assert missed.max(1).min() > 7.5


def test_what_is_louder_than_its_nights_is_news() -> None:
    """A batch that floods on the fourth night is an alarm."""
    memory = empty_memory()
    settled(memory, nights(1.0, 25.0, 49.0), bulk=9.0)

    assert settled(memory, nights(73.0), bulk=14.0)[:, NATS].max() > 7.5
