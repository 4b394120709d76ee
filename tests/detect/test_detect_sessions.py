"""Sessions in flight: as the whole at their end, alarming once, bounded, saved, peeked at, by the lines' own clock."""

import numpy as np
import pytest

from sentinel.detect.sessions import session_arrays
from sentinel.detect.sessions.fit import SessionRules
from sentinel.detect.sessions.follow import Alarm, Sessions, SessionVerdict
from sentinel.detect.sessions.model import fit_sessions

BEGIN, OPEN, READ, WRITE, CLOSE, END, FAIL = range(1, 8)
OTHER = 50  # a template of the model that belongs to no session
TEXTS = {BEGIN: "begin", OPEN: "open", READ: "read", WRITE: "write", CLOSE: "close", END: "end", FAIL: "write failed"}
LIMIT = 7.5
TIMEOUT_S = 600.0

USUAL = [BEGIN, OPEN, READ, WRITE, WRITE, CLOSE, END]
CUT = [BEGIN, OPEN, READ, WRITE, WRITE]
NEW = [BEGIN, OPEN, READ, 77, 77, 78, CLOSE, END]

Lines = list[tuple[int, int, float]]
"""Session, template, seconds."""


def usual(count: int, seed: int) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [
        [BEGIN, OPEN, *[READ] * int(rng.integers(1, 4)), *[WRITE] * int(rng.integers(2, 7)), CLOSE, END]
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def rules() -> SessionRules:
    """Ten minutes after any template a session is over; half a minute after the last line it rather is."""
    model = fit_sessions(usual(600, 1), seed=3, texts=TEXTS)
    v = len(model.usual.keys)
    opens = model.usual.keys == BEGIN
    return SessionRules(model, np.full(v + 1, TIMEOUT_S), np.full(v + 1, 30.0), opens, model.usual.keys, {})


@pytest.fixture
def flight(rules: SessionRules) -> Sessions:
    return followed(rules)


def followed(rules: SessionRules) -> Sessions:
    return Sessions(rules, [*TEXTS, OTHER], lambda key: TEXTS.get(key, f"number {key:x}"))


def walk(flight: Sessions, lines: Lines) -> list[Alarm]:
    return flight.walk(*arrays(lines), LIMIT, lambda i: (f"s{lines[i][0]}", "disk", f"e{i}"))


def arrays(lines: Lines) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    sessions, templates, times = zip(*lines, strict=True)
    return np.array(sessions, np.uint64), np.array(templates, np.uint64), np.array(times)


def laid(session: int, templates: list[int], start_s: float = 0.0) -> Lines:
    return [(session, key, start_s + i) for i, key in enumerate(templates)]


def mixed(sessions: list[list[int]]) -> Lines:
    """The lines of all sessions, the first line of each, then the second of each, and so on."""
    longest = max(map(len, sessions))
    return [(i + 1, s[at], float(at)) for at in range(longest) for i, s in enumerate(sessions) if at < len(s)]


def told(verdicts: list[SessionVerdict]) -> list[tuple[str, float, bool, tuple[str, ...]]]:
    return sorted((v.session, v.nats, v.is_anomaly, v.reasons) for v in verdicts)


def test_end_says_what_the_batch_says_when_lines_are_interleaved(flight: Sessions, rules: SessionRules) -> None:
    """Line by line each session gets the nats and the reasons that the model gives it as a whole."""
    sessions = [*usual(50, 8), CUT, NEW]
    nats, reasons = rules.model.score(sessions, TEXTS)

    walk(flight, mixed(sessions))
    said = {v.session: v for v in flight.ended(LIMIT, 1e6)}

    assert [said[f"s{i + 1}"].nats for i in range(len(sessions))] == pytest.approx(nats.tolist(), abs=1e-12)
    assert [said[f"s{i + 1}"].reasons for i in range(len(sessions))] == reasons


def test_session_alarms_once_when_it_still_lasts(flight: Sessions) -> None:
    """What can only grow alarms at the line that makes it so; at the end nothing is said again."""
    alarms = walk(flight, laid(1, NEW))
    (last,) = flight.ended(LIMIT, 1e6)
    assert [alarm.line for alarm in alarms] == [3]
    assert alarms[0].reasons
    assert last.nats >= alarms[0].nats
    assert not last.is_anomaly


def test_session_is_judged_when_it_times_out(flight: Sessions) -> None:
    """Ten minutes without a line end a session, by the time of the lines."""
    assert not walk(flight, laid(1, CUT))
    walk(flight, laid(2, [BEGIN, OPEN], 595.0))
    assert not flight.ended(LIMIT)

    walk(flight, laid(2, [READ, WRITE], 700.0))
    (said,) = flight.ended(LIMIT)

    assert (said.session, said.is_anomaly, said.lines, said.first_s, said.last_s) == ("s1", True, 5, 0.0, 4.0)
    assert any("missing" in reason for reason in said.reasons)
    assert not flight.ended(LIMIT)


def test_clock_goes_on_when_no_line_comes(flight: Sessions) -> None:
    """The timer's clock may be years ahead of the lines: what counts is how long it has been ticking."""
    walk(flight, laid(1, CUT))
    assert not flight.tick(1e9, LIMIT)
    assert not flight.tick(1e9 + TIMEOUT_S - 1.0, LIMIT)
    assert [v.session for v in flight.tick(1e9 + TIMEOUT_S + 5.0, LIMIT)] == ["s1"]


def test_one_line_from_the_future_ends_nothing(flight: Sessions) -> None:
    """A single line with a wrong date does not move the clock; a second one as late does."""
    walk(flight, laid(1, CUT))
    walk(flight, [(2, BEGIN, 1e6)])
    assert not flight.ended(LIMIT)
    walk(flight, [(2, OPEN, 1e6)])
    assert [v.session for v in flight.ended(LIMIT)] == ["s1"]


def test_session_that_goes_on_is_judged_again(rules: SessionRules) -> None:
    """After its time-out a session is judged as it is, if a timer asks or its next line tells; then it goes on."""
    lines = [*laid(1, USUAL[:5]), *laid(1, USUAL[5:], 5_000.0)]
    asked, late = followed(rules), followed(rules)

    walk(asked, lines[:5])
    first = asked.ended(LIMIT, 4_000.0)
    walk(asked, lines[5:])
    walk(late, lines)
    found = late.ended(LIMIT, 1e6)

    assert told([*first, *asked.ended(LIMIT, 1e6)]) == told(found)
    assert [(v.is_anomaly, v.lines) for v in found] == [(True, 5), (False, 7)]
    assert found[0].last_event == "e4"


@pytest.mark.parametrize("is_judged", [True, False])
def test_an_id_that_is_used_again_is_another_session(rules: SessionRules, is_judged: bool) -> None:
    """Long after the end of a session its first template begins a new one: nothing is there twice, both are told."""
    lines = [*laid(1, USUAL), *laid(1, USUAL, 90_000.0)]
    flight = followed(rules)

    alarms = walk(flight, lines[:7])
    found = flight.ended(LIMIT, 10_000.0) if is_judged else []
    alarms += walk(flight, lines[7:])
    found += flight.ended(LIMIT, 1e6)

    assert alarms == []
    assert [(v.is_anomaly, v.lines, v.first_s) for v in found] == [(False, 7, 0.0), (False, 7, 90_000.0)]


def test_late_line_does_not_turn_the_clock_back(flight: Sessions) -> None:
    """A line of an hour ago leaves its session as young as it was."""
    walk(flight, [(1, BEGIN, 5_000.0), (1, OPEN, 5_001.0), (1, READ, 4_000.0)])
    assert not flight.ended(LIMIT, 5_500.0)
    assert [v.last_s for v in flight.ended(LIMIT, 5_602.0)] == [5_001.0]


def test_session_is_not_judged_when_its_beginning_was_not_seen(flight: Sessions) -> None:
    """Soon after the first line ever, what does not begin as sessions do may have begun before; later it is odd."""
    walk(flight, laid(1, [WRITE, CLOSE, END]))
    walk(flight, laid(2, [WRITE, CLOSE, END], 5_000.0))
    assert [(v.session, v.is_anomaly) for v in flight.ended(LIMIT, 1e6)] == [("s1", False), ("s2", True)]


def test_lines_of_other_kinds_do_not_count(flight: Sessions) -> None:
    """A known template that belongs to no such session is passed by; one never seen opens no session."""
    walk(flight, [(1, OTHER, 0.0), (2, 99, 1.0), *laid(3, USUAL), (3, OTHER, 8.0)])
    (said,) = flight.ended(LIMIT, 1e6)
    assert (said.session, said.lines, said.is_anomaly) == ("s3", 7, False)


def test_memory_is_bounded_when_sessions_and_templates_are_endless(
    rules: SessionRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of endless sessions the least recently used give way; of one session 64 templates are counted."""
    monkeypatch.setattr(session_arrays, "PLACES", 256)
    flight = followed(rules)
    flight._held = session_arrays.Open.empty(256)
    for start in range(1, 20_000, 500):
        walk(flight, [(i * 2_654_435_761, BEGIN, float(i)) for i in range(start, start + 500)])
    walk(flight, [(5, BEGIN, 3e4), *((5, 1_000 + i, 3e4 + i) for i in range(500))])
    assert len(flight) <= 256
    assert sum(part.nbytes for part in flight.state().values()) < 256 * 600


def test_templates_lose_their_numbers_when_there_are_too_many(
    rules: SessionRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions that are open keep what they counted when the templates of others are forgotten."""
    monkeypatch.setattr("sentinel.detect.sessions.numbers.MAX_NUMBERS", 100)
    flight, plain = followed(rules), followed(rules)
    walk(flight, laid(1, CUT))
    for start in range(0, 1_000, 50):
        walk(flight, [(9, 1_000 + start + i, 5.0) for i in range(50)])
    walk(flight, laid(1, [CLOSE, END], 6.0))
    walk(plain, [*laid(1, CUT), *laid(1, [CLOSE, END], 6.0)])
    assert len(flight._numbers.keys) <= 160
    assert told(flight.ended(LIMIT, 1e6)) == told(plain.ended(LIMIT, 1e6))


def test_verdicts_are_the_same_when_killed_in_between(rules: SessionRules) -> None:
    """One call, calls of any size, and a restart under the loaded rules: the same alarms and verdicts."""
    lines = mixed([*usual(20, 4), CUT, NEW])
    whole, first = followed(rules), followed(rules)
    alarms = walk(whole, lines)

    pieces = [*walk(first, lines[:37]), *walk(first, lines[37:60])]
    second = followed(SessionRules.from_arrays(rules.to_arrays()))
    second.restore(first.state(), same_rules=True)
    for i in range(60, len(lines)):
        pieces += walk(second, lines[i : i + 1])

    assert [(a.nats, a.reasons) for a in pieces] == [(a.nats, a.reasons) for a in alarms]
    assert told(second.ended(LIMIT, 1e6)) == told(whole.ended(LIMIT, 1e6))


def test_open_sessions_go_on_when_the_rules_change(rules: SessionRules) -> None:
    """What was counted under one model is judged by the next."""
    model = fit_sessions(usual(300, 9), seed=1, texts=TEXTS)
    v = len(model.usual.keys)
    newer = SessionRules(model, np.full(v + 1, 60.0), np.full(v + 1, 30.0), np.ones(v, bool), model.usual.keys, {})
    before, after = followed(rules), followed(newer)
    walk(before, [*laid(1, CUT), *laid(2, USUAL[:5])])

    after.restore(before.state(), same_rules=False)
    walk(after, laid(2, USUAL[5:], 5.0))

    assert [(v.session, v.is_anomaly) for v in after.ended(LIMIT, 1e6)] == [("s1", True), ("s2", False)]


def test_peek_answers_as_walk_would_and_changes_nothing(flight: Sessions) -> None:
    """Peeking twice gives the same, and what taking the lines then gives; the state stays byte for byte."""
    walk(flight, laid(1, NEW[:3]))
    rest = [*laid(1, NEW[3:], 3.0), *laid(2, NEW, 9_000.0)]
    before = {name: part.tobytes() for name, part in flight.state().items()}

    peeked = [flight.peek(*arrays(rest), LIMIT) for _ in range(2)]

    assert {name: part.tobytes() for name, part in flight.state().items()} == before
    assert peeked[0] == peeked[1] == walk(flight, rest)
    assert len(peeked[0]) == 2


def test_file_that_ends_judges_what_is_rather_over(flight: Sessions) -> None:
    """Half a minute after its last line a session counts as over where nothing more comes; one amid its lines not."""
    walk(flight, [*laid(1, CUT), *laid(2, [BEGIN, OPEN, READ], 40.0)])
    assert [v.session for v in flight.close(LIMIT)] == ["s1"]
