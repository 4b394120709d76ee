"""Whole sessions: what is found, what is not, in what words; repeatable, and refused when damaged."""

from pathlib import Path

import numpy as np
import pytest

from sentinel.detect.kernel.hashing import hash_text
from sentinel.detect.sessions.content import contents
from sentinel.detect.sessions.model import SessionModel, fit_sessions
from sentinel.errors import ArtifactError, TerminalError

BEGIN, OPEN, READ, WRITE, CLOSE, END, FAIL, COPY = range(1, 9)
TEXTS = {
    BEGIN: "begin <*>",
    OPEN: "open <*>",
    READ: "read <*> bytes",
    WRITE: "write <*> bytes",
    CLOSE: "close <*>",
    END: "end <*>",
    FAIL: "write failed with exception <*>",
    COPY: "copy <*> elsewhere",
}
Sequences = list[list[int]]
SHARED = Path(__file__).parents[3] / "shared" / "data"


def usual(count: int, seed: int) -> Sequences:
    """Sessions of three to nine reads between begin and end; one in thirty copies."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        middle = [READ] * int(rng.integers(1, 4)) + [WRITE] * int(rng.integers(2, 7))
        rng.shuffle(middle)
        found.append([BEGIN, OPEN, *middle, CLOSE, *([COPY] if rng.random() < 1 / 30 else []), END])
    return found


ODD: dict[str, list[int]] = {
    "cut": [BEGIN, OPEN, READ, WRITE, WRITE],
    "failed": [BEGIN, OPEN, READ, WRITE, WRITE, FAIL, CLOSE, END],
    "many": [BEGIN, OPEN, READ, *[WRITE] * 40, CLOSE, END],
    "new": [BEGIN, OPEN, READ, WRITE, WRITE, 77, 77, 78, CLOSE, END],
    "backwards": [END, CLOSE, WRITE, WRITE, READ, OPEN, BEGIN],
}


@pytest.fixture(scope="module")
def model() -> SessionModel:
    return fit_sessions(usual(600, 1), seed=3, texts=TEXTS)


@pytest.mark.parametrize("kind", ODD)
def test_session_is_an_anomaly_when_it_is(model: SessionModel, kind: str) -> None:
    """Each way of being odd is found at the fixed threshold, and has a reason."""
    nats, reasons = model.score([ODD[kind]], TEXTS)
    assert nats[0] >= 7.5
    assert reasons[0]


AUDIT, SEAL = 9, 10
MOVED: list[int] = [BEGIN, OPEN, READ, WRITE, WRITE, AUDIT, SEAL, AUDIT, CLOSE, END]
HALTED: list[int] = [BEGIN, OPEN, READ, WRITE, WRITE, FAIL, AUDIT, SEAL, AUDIT, CLOSE, END]


@pytest.fixture(scope="module")
def rare_ways() -> SessionModel:
    """Of 3,000 sessions one in 300 is sealed, which is sound; as many halt with a failure, or are cut off."""
    odd = [MOVED] * 10 + [HALTED] * 10 + [ODD["cut"]] * 10
    sessions = [*usual(3_000, 1), *odd]
    order = np.random.default_rng(5).permutation(len(sessions))
    texts = {**TEXTS, AUDIT: "audit <*>", SEAL: "seal <*>"}
    return fit_sessions([sessions[i] for i in order], seed=3, texts=texts)


def test_what_is_seldom_done_and_sound_is_no_anomaly(rare_ways: SessionModel) -> None:
    """Ten of three thousand sessions with the very same counts are a way of their own, in flight as at the end."""
    whole, _ = rare_ways.score([MOVED])
    so_far = [rare_ways.so_far(contents(rare_ways.usual, [MOVED[:k]], TEXTS)).item() for k in range(1, len(MOVED) + 1)]

    assert whole[0] < 7.5
    assert max(so_far) <= whole[0]


def test_what_recurs_and_is_not_sound_stays_an_anomaly(rare_ways: SessionModel) -> None:
    """Failures and what breaks off may come ten times in the training and are not learnt; nor is another order."""
    nats, _ = rare_ways.score([HALTED, ODD["cut"], [*MOVED, SEAL], [*MOVED[5:], *MOVED[:5]]], TEXTS)

    assert nats.min() >= 7.5


def test_sessions_are_quiet_when_they_are_as_usual(model: SessionModel) -> None:
    """At 7.5 nats one in 1,800 usual sessions may alarm; here at most two of a thousand do."""
    nats, _ = model.score(usual(1_000, 2))
    assert (nats >= 7.5).sum() <= 2


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("cut", "“close <*>” is missing"),
        ("many", "40 times the line “write <*> bytes”; usual: at most 6"),
        ("failed", "“write failed with exception <*>”: no session had it"),
        ("backwards", "as no session does"),
    ],
)
def test_reason_names_the_cause_when_there_is_one(model: SessionModel, kind: str, words: str) -> None:
    """What is odd is said in words, with figures."""
    _, reasons = model.score([ODD[kind]], TEXTS)
    assert any(words in reason for reason in reasons[0]), reasons[0]


def test_anomalies_are_found_when_the_training_held_them() -> None:
    """Two in a hundred of the training sessions are the very anomaly: it is found all the same."""
    model = fit_sessions(usual(980, 4) + [ODD["cut"]] * 20, seed=3, texts=TEXTS)
    nats, _ = model.score([ODD["cut"]], TEXTS)
    assert nats[0] >= 7.5
    assert (model.score(usual(1_000, 5))[0] >= 7.5).sum() <= 3


def test_rare_failures_are_found_when_a_usual_one_and_rare_ways_hide_them() -> None:
    """Among thousands, four kinds of sessions that fail, each in one of a hundred, teach nothing; a failure that one in
    thirteen survives is usual, and so is a rare sound way."""
    rng = np.random.default_rng(8)
    past = usual(3_000, 8)
    texts = {**TEXTS, 20: "retry after error <*>", **{30 + k: f"store number {'abcd'[k]} failed <*>" for k in range(4)}}
    for i, kind in enumerate(rng.random(len(past))):
        middle = past[i][2:-2]
        if kind < 0.08:
            past[i] = [BEGIN, OPEN, *middle, 20, CLOSE, END]
        elif kind < 0.12:
            past[i] = [BEGIN, OPEN, *middle, 30 + i % 4, CLOSE, END]
        elif kind < 0.14:
            past[i] = [BEGIN, OPEN, *middle * 8, CLOSE, END]
    model = fit_sessions(past, seed=3, texts=texts)
    failed, _ = model.score([[BEGIN, OPEN, READ, WRITE, WRITE, WRITE, 30 + k, CLOSE, END] for k in range(4)], texts)
    survived, _ = model.score([[BEGIN, OPEN, READ, WRITE, WRITE, WRITE, 20, CLOSE, END]], texts)
    assert (failed >= 7.5).all(), failed
    assert survived[0] < 7.5


def test_one_way_in_a_hundred_that_fails_is_a_habit_with_its_own_order() -> None:
    """Orders that are declined now and then end early, each time alike: no alarm. What was so once or never is one."""
    usually, declined = [BEGIN, OPEN, READ, WRITE, CLOSE, END], [BEGIN, OPEN, READ, FAIL]
    once = [BEGIN, READ, OPEN, WRITE, CLOSE, END]
    past = [declined if i % 125 == 60 else usually for i in range(2_500)]
    model = fit_sessions([*past, once], seed=3, texts=TEXTS, trim=False)
    nats, _ = model.score([usually, declined, once, [BEGIN, OPEN, WRITE, READ, CLOSE, END]], TEXTS)

    assert (nats[:2] < 7.5).all(), nats
    assert (nats[2:] >= 7.5).all(), nats


def test_one_new_template_is_no_alarm_when_new_ones_are_usual() -> None:
    """Where sessions often bring a template of their own, one more is nothing."""
    past = [[*session, 1_000 + i] if i % 3 == 0 else session for i, session in enumerate(usual(60, 6))]
    model = fit_sessions(past, seed=3)
    nats, _ = model.score([[*usual(1, 7)[0], 5_000]])
    assert nats[0] < 7.5
    assert model.confidence == "low"


def test_model_is_the_same_when_the_seed_is() -> None:
    """The same sessions and seed give the same arrays."""
    one, two = (fit_sessions(usual(100, 1), seed=5, texts=TEXTS) for _ in range(2))
    assert one.fingerprint() == two.fingerprint()


def test_damaged_arrays_are_refused_when_loaded(model: SessionModel) -> None:
    """A missing or shortened array is an error of the artifact, not a wrong score."""
    arrays = model.to_arrays()
    for name in arrays:
        with pytest.raises(ArtifactError):
            SessionModel.from_arrays({k: v for k, v in arrays.items() if k != name})
    with pytest.raises(ArtifactError, match="different lengths"):
        SessionModel.from_arrays({**arrays, "usual_up": arrays["usual_up"][:-1]})


def test_too_few_sessions_are_refused_when_fitted() -> None:
    """Four sessions teach nothing; empty ones do not count."""
    with pytest.raises(TerminalError, match="4 of them"):
        fit_sessions([*usual(4, 1), []], seed=0)


def test_empty_and_foreign_sessions_are_scored_when_asked(model: SessionModel) -> None:
    """No session, an empty one and one of unknown templates alone are answered."""
    assert model.score([])[0].shape == (0,)
    nats, _ = model.score([[], [2**64 - 1]])
    assert np.isfinite(nats).all()
    assert (nats >= 7.5).all()


@pytest.mark.skipif(not (SHARED / "openstack_train").exists(), reason="needs openstack_* in ../shared/data")
def test_faults_of_openstack_are_found_when_25_normal_sessions_teach() -> None:
    """The goal is F1 .99 at the fixed threshold; below .97 something broke. Flagging all scores .21."""

    def read(name: str) -> Sequences:
        lines = (SHARED / name).read_text(encoding="utf-8").splitlines()
        return [[hash_text(event) for event in line.partition(",")[2].split()] for line in lines if line]

    model = fit_sessions(read("openstack_train"), seed=0)
    faulty, normal = (model.score(read(f"openstack_test_{kind}"))[0] >= 7.5 for kind in ("abnormal", "normal"))
    assert 2 * faulty.sum() / (faulty.sum() + normal.sum() + len(faulty)) >= 0.97
