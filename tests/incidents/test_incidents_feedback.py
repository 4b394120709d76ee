"""What a false alarm covers and what it must never hide; how a budget of incidents becomes a threshold."""

from dataclasses import replace

import msgspec
import pytest

from sentinel.incidents.feedback import Case, Word, Words, counted
from sentinel.incidents.loudness import MAX_NATS, MIN_NATS, Level, Loudness, nats_for

NOW_S = 1_800_000_000.0
WORD = Word(
    id="w",
    verdict="false_alarm",
    scope="template",
    at_s=NOW_S,
    by="test",
    kinds=("new_template",),
    sources=("app",),
    actors=("10.0.0.1",),
    templates=("cache <NUM> cold",),
    lines=(("cache <NUM> cold", "app", "10.0.0.1"),),
    peak_nats=9.0,
)
CASE = Case("cache <NUM> cold", "app", "10.0.0.1", "rare_template", 9.0, is_grave=False)


def covers(word: Word, case: Case, now_s: float = NOW_S) -> bool:
    return Words([word], now_s).covering(case) is not None


@pytest.mark.parametrize(
    ("scope", "other"),
    [
        ("line", {"actor": "10.0.0.2"}),
        ("line", {"source": "db"}),
        ("template", {"template": "cache <NUM> warm"}),
        ("source", {"source": "db"}),
        ("actor", {"actor": "10.0.0.2"}),
    ],
)
def test_a_false_alarm_covers_its_scope_alone(scope: str, other: dict[str, str]) -> None:
    """What shares the scope is quiet, its neighbour is not."""
    word = msgspec.structs.replace(WORD, scope=scope)

    assert covers(word, CASE)
    assert not covers(word, replace(CASE, **other))  # type: ignore[arg-type]


@pytest.mark.parametrize("scope", ["template", "source"])
@pytest.mark.parametrize("kind", ["brute_force", "credential_stuffing"])
def test_a_false_alarm_never_hides_another_guesser(scope: str, kind: str) -> None:
    """Guessed passwords of the actor that was looked at are quiet, those of another alarm."""
    word = msgspec.structs.replace(WORD, scope=scope)

    assert covers(word, replace(CASE, kind=kind))
    assert not covers(word, replace(CASE, kind=kind, actor="203.0.113.9"))
    assert not covers(word, replace(CASE, kind=kind, actor=""))


@pytest.mark.parametrize("scope", ["source", "actor"])
def test_a_false_alarm_never_hides_a_grave_failure(scope: str) -> None:
    """A crash of a muted source or actor alarms."""
    word = msgspec.structs.replace(WORD, scope=scope)

    assert not covers(word, replace(CASE, template="kernel panic", is_grave=True))


def test_a_false_alarm_never_hides_a_flood() -> None:
    """A burst where no burst was looked at alarms, and so does what is much stranger than what was."""
    assert covers(WORD, replace(CASE, nats=16.0))
    assert not covers(WORD, replace(CASE, nats=17.5))


@pytest.mark.parametrize("scope", ["line", "template", "source", "actor"])
@pytest.mark.parametrize("kind", ["error_burst", "rate_spike", "rate_drop"])
def test_a_muted_burst_hides_none_that_is_clearly_larger(scope: str, kind: str) -> None:
    """The same again is quiet, also twice as large; 2 nats more, or four times the lines where nats are full, alarm."""
    word = msgspec.structs.replace(WORD, scope=scope, kinds=(kind,), peak_nats=12.7, counts={"lines of this host": 160})
    burst = replace(CASE, kind=kind, nats=14.0, counts={"lines of this host": 320})

    assert covers(word, burst)
    assert not covers(word, replace(burst, nats=14.8))
    assert not covers(word, replace(burst, counts={"lines of this host": 640}))
    assert covers(word, replace(burst, counts={"lines of this source": 640}))


@pytest.mark.parametrize("scope", ["source", "actor"])
@pytest.mark.parametrize("kind", ["privilege", "scan", "silence"])
def test_what_is_only_unusual_hides_no_attack_and_no_failure(scope: str, kind: str) -> None:
    """In another template than was looked at; where something as grave was looked at, it is quiet."""
    word = msgspec.structs.replace(WORD, scope=scope)
    case = replace(CASE, template="sudo: <USER> : COMMAND=<PATH>", kind=kind)

    assert not covers(word, case)
    assert covers(msgspec.structs.replace(word, kinds=(kind,)), case)
    assert covers(word, replace(case, kind="new_value"))


def test_counts_are_read_from_reasons() -> None:
    """The most of each thing that is counted; a reason without a count has none."""
    reasons = [
        "about 40 lines of this kind within 15 s; usual: at most 3",
        "about 1,764 lines of this kind within 3 min; usual: at most 8",
        "the number 0 is outside the usual 118 to 1,426 of such lines",
    ]

    assert counted(reasons) == {"lines of this kind": 1764}


@pytest.mark.parametrize("scope", ["line", "template", "source", "actor"])
@pytest.mark.parametrize("kind", ["error_burst", "rate_spike", "rate_drop"])
@pytest.mark.parametrize(
    "looked_at", ["rare_template", "new_value", "numeric_outlier", "new_actor", "privilege", "sequence"]
)
@pytest.mark.parametrize("nats", [7.5, 10.0, 14.0])
def test_no_single_line_hides_a_flood_of_it(scope: str, kind: str, looked_at: str, nats: float) -> None:
    """Whatever single kind of line was called a false alarm, in whatever scope: however small the burst, it alarms."""
    word = msgspec.structs.replace(WORD, scope=scope, kinds=(looked_at,))

    assert not covers(word, replace(CASE, kind=kind, nats=nats))


def test_bursts_of_a_muted_attack_are_part_of_it() -> None:
    """Of the actor that was looked at alone: another one's burst alarms."""
    word = msgspec.structs.replace(WORD, scope="source", kinds=("scan",))
    burst = replace(CASE, kind="error_burst", nats=10.0)

    assert covers(word, burst)
    assert not covers(word, replace(burst, actor="203.0.113.9"))
    assert not covers(word, replace(burst, actor=""))


@pytest.mark.parametrize("scope", ["line", "template", "source", "actor"])
@pytest.mark.parametrize("kind", ["brute_force", "credential_stuffing"])
@pytest.mark.parametrize("looked_at", ["brute_force", "credential_stuffing", "error_burst", "scan", "rare_template"])
def test_no_scope_hides_guesses_of_an_actor_that_was_not_looked_at(scope: str, kind: str, looked_at: str) -> None:
    """Whatever was looked at: the same lines from another address, from a user, or from nobody known alarm."""
    word = msgspec.structs.replace(WORD, scope=scope, kinds=(looked_at,))

    for actor in ("203.0.113.9", "2001:db8::9", "anna", ""):
        assert not covers(word, replace(CASE, kind=kind, actor=actor))


@pytest.mark.parametrize("scope", ["source", "actor"])
@pytest.mark.parametrize(
    "template", ["Out of memory: Killed process <NUM>", "database is corrupt", "certificate expired"]
)
@pytest.mark.parametrize("kind", ["new_template", "rare_template", "error_burst", "new_value"])
def test_grave_failures_of_any_kind_alarm(scope: str, template: str, kind: str) -> None:
    """In a template that nobody looked at, also where bursts were."""
    word = msgspec.structs.replace(WORD, scope=scope, kinds=("error_burst", "rare_template"))

    assert not covers(word, replace(CASE, template=template, kind=kind, is_grave=True))


def test_a_mute_ends_when_its_time_is_over() -> None:
    """From `until` on it covers nothing."""
    word = msgspec.structs.replace(WORD, until_s=NOW_S + 60)

    assert covers(word, CASE, NOW_S + 59)
    assert not covers(word, CASE, NOW_S + 60)


def test_what_is_real_covers_nothing_and_names_what_ranks_higher() -> None:
    """A real one is no mute."""
    words = Words([msgspec.structs.replace(WORD, verdict="real")], NOW_S)

    assert words.covering(CASE) is None
    assert words.real_names()["template"] == {"cache <NUM> cold"}


@pytest.mark.parametrize(("budget", "shown"), [(1, 7), (2, 14), (0.5, 3)])
def test_a_budget_keeps_to_the_incidents_that_there_were(budget: float, shown: int) -> None:
    """Of forty incidents in a week so many are left, the strangest."""
    peaks = [8.0 + i / 4 for i in range(40)]

    nats = nats_for(budget, peaks, 7.0, 7.5)

    assert sum(peak >= nats for peak in peaks) == shown


def test_a_budget_that_is_wider_than_what_was_shown_asks_for_less() -> None:
    """e times as many for one nat less, within bounds."""
    assert nats_for(10 * 2.718281828, [9.0] * 10, 1.0, 7.5) == pytest.approx(6.5)
    assert nats_for(1e5, [], 7.0, 7.5) == MIN_NATS
    assert nats_for(1e-9, [1e9], 1.0, 7.5) == MAX_NATS


def test_a_source_of_its_own_wins_over_all() -> None:
    """Its own, else that of all, else the setting."""
    loudness = Loudness(Level(9.0), {"app": Level(5.0)})

    assert [loudness.nats(7.5, source) for source in ("app", "db", None)] == [5.0, 9.0, 9.0]
    assert Loudness().nats(7.5, "app") == 7.5
    assert loudness.lowest(7.5) == 5.0
