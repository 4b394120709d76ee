"""Few sessions teach little: what is new in one way hardly stands out, what is new in three does."""

import math
import random

import pytest

from sentinel.detect.sessions.model import fit_sessions
from sentinel.detect.tuning.sessions import FEW_NORM, FEW_START

ALARM_NATS = 7.5
STEPS = list(range(1, 13))
DETOUR, ANOTHER, FAULTS = 20, 21, (30, 31, 32)


def life(dice: random.Random, *, detour: int | None = None) -> list[int]:
    """A session's steps, two of them in either order, one repeated now and then."""
    steps = STEPS.copy()
    if dice.random() < 0.5:
        steps[4], steps[5] = steps[5], steps[4]
    if dice.random() < 0.3:
        steps.insert(8, steps[7])
    if detour is not None:
        steps.insert(dice.randint(3, 9), detour)
    return steps


@pytest.mark.parametrize("draw", range(6))
def test_one_new_step_is_far_less_than_three_and_an_early_end(draw: int) -> None:
    """Of 25 sessions none takes a detour that others may: it is hardly an alarm, and a fault is far above it."""
    dice = random.Random(draw)
    model = fit_sessions([life(dice) for _ in range(25)], seed=0)

    detours, _ = model.score([life(dice, detour=DETOUR) for _ in range(20)])
    broken, _ = model.score([[*life(dice)[:5], *FAULTS] for _ in range(20)])

    assert detours.max() < ALARM_NATS + 1.0
    assert broken.min() > detours.max() + 3.0


@pytest.mark.parametrize("draw", range(6))
def test_one_odd_session_among_few_hides_no_fault(draw: int) -> None:
    """A session with two steps of its own among 25 does not stretch the tail beyond what a fault shows."""
    dice = random.Random(draw)
    odd = [*life(dice, detour=DETOUR), ANOTHER, ANOTHER]
    model = fit_sessions([*(life(dice) for _ in range(24)), odd], seed=0)

    broken, _ = model.score([[*life(dice)[:5], *FAULTS] for _ in range(20)])

    assert broken.min() >= ALARM_NATS


@pytest.mark.parametrize("odd_ones", [0, 1, 2])
def test_which_sessions_teach_does_not_move_where_an_alarm_begins(odd_ones: int) -> None:
    """The tail of 25 lengths begins where its rank says, whether none, one or two of them are odd."""
    dice = random.Random(7)
    odd = [[*life(dice, detour=DETOUR + k), ANOTHER + k, ANOTHER + k] for k in range(odd_ones)]
    model = fit_sessions([*(life(dice) for _ in range(25 - odd_ones)), *odd], seed=0)

    assert model.norm_tail.start.item() == pytest.approx(FEW_START * model.norm_tail.base.item())
    assert model.norm_tail.base.item() == pytest.approx(-math.log(1.5 / 26))
    assert model.norm_tail.scale.item() == pytest.approx(FEW_NORM)
