"""What lines teach of sessions: which ids name one, when it is over, kinds apart, and when to learn none."""

import numpy as np
import pytest

from sentinel.detect.judge.nats import THRESHOLD_NATS
from sentinel.detect.sessions.fit import SessionRules, learn_sessions
from sentinel.errors import ArtifactError

BEGIN, WORK, END, JOB, DONE, LOST, NOISE = range(1, 8)
TEXTS = {BEGIN: "begin", WORK: "work", END: "end", JOB: "job", DONE: "done", LOST: "lost it: failed", NOISE: "noise"}
NO_NUMBERS = np.zeros(0, np.uint64)
Lines = list[tuple[int, int, float]]


def learn(lines: Lines) -> tuple[tuple[SessionRules, ...], list[dict[str, float]]]:
    sessions, templates, times = zip(*sorted(lines, key=lambda line: line[2]), strict=True)
    return learn_sessions(
        np.array(sessions, np.uint64), np.array(templates, np.uint64), np.array(times), TEXTS, plain=NO_NUMBERS, seed=0
    )


def works(count: int, *, first: int = 1, start_s: float = 0.0, odd: int = 0) -> Lines:
    """Sessions a minute apart, each of one to three steps two seconds apart; every `odd`-th loses its end."""
    rng = np.random.default_rng(first)
    lines = []
    for i in range(count):
        steps = [BEGIN, *[WORK] * int(rng.integers(1, 4)), *([LOST] if odd and i % odd == 5 else [END])]
        lines += [(first + i, key, start_s + 60.0 * i + 2.0 * k) for k, key in enumerate(steps)]
    return lines


def test_sessions_are_learnt_when_they_repeat_themselves() -> None:
    """Begin, work, end: one kind, over half a minute after any line, beginning with its first template."""
    (rules,), (figures,) = learn(works(400))
    assert rules.model.usual.keys.tolist() == [BEGIN, WORK, END]
    assert rules.opens.tolist() == [True, False, False]
    assert rules.timeouts.tolist() == [30.0] * 4
    assert figures["sessions"] >= 399
    assert figures["flagged"] == 0


def test_ids_that_occur_once_name_no_session() -> None:
    """A thousand different numbers in a thousand lines teach nothing, and take nothing from those that do."""
    once = [(10_000 + i, NOISE, 10.0 * i) for i in range(1_000)]
    assert learn(once) == ((), [])
    (rules,), _ = learn([*works(200), *once])
    assert NOISE not in rules.templates.tolist()


def test_short_sessions_are_left_to_their_lines() -> None:
    """Pairs of lines under one id, however regular, are no sessions worth a model."""
    rules, (figures,) = learn([(1 + i, key, 60.0 * i + key) for i in range(500) for key in (JOB, DONE)])
    assert rules == ()
    assert figures["median_lines"] == 2.0


def test_ids_without_structure_are_left_out() -> None:
    """Random groups of random templates never repeat: no rules, and the figures say why."""
    rng = np.random.default_rng(4)
    lines = [(int(rng.integers(1, 60)), int(rng.integers(100, 160)), 5.0 * i) for i in range(3_000)]
    rules, figures = learn(lines)
    assert rules == ()
    assert all(kind.get("repeated", 0.0) < 0.5 for kind in figures)


def test_sessions_are_left_out_when_the_later_ones_are_others() -> None:
    """A kind whose structure changes within the training would alarm at every session of the new form."""
    later = [(key + 5_000, DONE if template == END else template, t + 60_000.0) for key, template, t in works(60)]
    rules, (figures,) = learn([*works(200), *later])
    assert rules == ()
    assert figures["flagged"] > figures["flagged_at_most"]


def test_kinds_are_told_apart_when_their_ids_collide() -> None:
    """Orders and jobs have numbers of their own, of which a tenth is the same: two kinds, each with its templates."""
    jobs = [(595 + i, key, 600.0 * i + k + 7.0) for i in range(60) for k, key in enumerate((JOB, NOISE, NOISE, DONE))]
    rules, _ = learn([*works(600), *jobs])
    assert [sorted(kind.templates.tolist()) for kind in rules] == [[BEGIN, WORK, END], [JOB, DONE, NOISE]]


def test_pause_within_sessions_lengthens_their_time_out() -> None:
    """Where work goes on after an hour, an hour without a line ends nothing; after the last line less does."""
    lines = []
    for i in range(300):
        at_s = 600.0 * i
        lines += [(i + 1, BEGIN, at_s), (i + 1, WORK, at_s + 2.0), (i + 1, WORK, at_s + 3.0)]
        lines += [(i + 1, END, at_s + 3_600.0)]
    (rules,), _ = learn(lines)
    timeouts = dict(zip(rules.model.usual.keys.tolist(), rules.timeouts.tolist(), strict=False))
    assert timeouts[WORK] > 3_600.0
    assert timeouts[END] == 30.0


def test_anomalies_are_found_when_the_training_held_them() -> None:
    """With thousands of sessions one in fifty that fails is left out, so that the next one is found."""
    (rules,), (figures,) = learn(works(3_000, odd=50))
    nats, _ = rules.model.score([[BEGIN, WORK, LOST], [BEGIN, WORK, END]], TEXTS)
    assert figures["trim"] == 1.0
    assert nats[0] >= 7.5 > nats[1]


def test_habits_stay_habits_when_sessions_are_few() -> None:
    """A few hundred sessions do not tell a rare habit from an anomaly: one in fifty that fails is usual."""
    (rules,), (figures,) = learn(works(500, odd=50))
    nats, _ = rules.model.score([[BEGIN, WORK, LOST]], TEXTS)
    assert figures["trim"] == 0.0
    assert nats[0] < 7.5


def test_a_burst_of_a_variant_teaches_once() -> None:
    """Six reversed sessions in one spell stay strange; six over the whole span are a rare habit."""
    odd = [END, WORK, WORK, WORK, WORK, BEGIN]

    def strange(gap_s: float) -> float:
        six = [(9_000 + i, key, 3_000.0 + gap_s * i + k) for i in range(6) for k, key in enumerate(odd)]
        (rules,), _ = learn([*works(500), *six])
        nats, _ = rules.model.score([odd], TEXTS)
        return float(nats[0])

    assert strange(20.0) >= THRESHOLD_NATS
    assert strange(3_000.0) < THRESHOLD_NATS


def test_one_spell_among_the_later_sessions_costs_no_rules() -> None:
    """Three odd variants within a minute are one incident and the kind is of use; spread out they are false alarms."""
    odd = [[END, WORK, BEGIN, BEGIN], [BEGIN, *[WORK] * 30, END], [LOST, LOST, END, BEGIN]]

    def rules(gap_s: float) -> int:
        more = [
            (9_000 + i, key, 24_000.0 + gap_s * i + k) for i, steps in enumerate(odd) for k, key in enumerate(steps)
        ]
        return len(learn([*works(500), *more])[0])

    assert rules(20.0) == 1
    assert rules(2_000.0) == 0


def test_rules_come_back_when_they_are_saved() -> None:
    """All arrays, and an error of the artifact where one is missing or shortened."""
    (rules,), _ = learn(works(100))
    arrays = rules.to_arrays()
    again = SessionRules.from_arrays(arrays)
    assert again.model.fingerprint() == rules.model.fingerprint()
    assert again.figures == rules.figures
    with pytest.raises(ArtifactError, match="different lengths"):
        SessionRules.from_arrays({**arrays, "timeouts": arrays["timeouts"][:-1]})
    for name in ("timeouts", "templates", "figures"):
        with pytest.raises(ArtifactError):
            SessionRules.from_arrays({k: v for k, v in arrays.items() if k != name})
