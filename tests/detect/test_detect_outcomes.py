"""A value that its place never showed is news, and named; a number that only counts on is none."""

import random
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Model, Scorer
from sentinel.detect.learn.fit import fit
from sentinel.detect.learn.outcomes import counters_in, learn_numbers, learn_slots
from sentinel.detect.read.outcomes import places_in
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 3, 2, tzinfo=UTC)
LINES = 1_500
LATER_S = 60.0 * LINES + 60.0

# source: text of value and another number, what training shows (None: it counts on), what is news, what is none
SAYS = {
    "billing": ("invoice sent, smtp code {} after {} tries", (250,), 554, 250),
    "indexer": ("shard merged exit code {} in {} ms", (0,), 139, 0),
    "sync": ("round finished errors={} files={}", (0,), 412, 0),
    "bridge": ('{{"op": "relay", "code": {}, "took_ms": {}}}', (1000, 1003), 4017, 1003),
    "probe": ("target edge answered {} in {} ms", (200, 301), 503, 301),
    "tenant": ("lease is now {} since {} s", ("held", "renewed", "idle"), "revoked", "idle"),
    "queue": ("drained with {} waiting of {}", (0, 1, 2, 3), None, 4),
    "ticker": ("cycle {} done in {} ms", None, None, 3),
    "blocks": ("stored a block of size {} in {} ms", (67108864,), 11977, 67108864),
}


def frame(rows: list[tuple[float, str, str]]) -> pl.DataFrame:
    rows = sorted(rows)
    known = {
        "event_id": [f"{i:022d}" for i in range(len(rows))],
        "timestamp": [START + timedelta(seconds=row[0]) for row in rows],
        "level": ["info"] * len(rows),
        "source": [row[1] for row in rows],
        "message": [row[2] for row in rows],
    }
    return pl.DataFrame({n: pl.Series(n, known.get(n, [None] * len(rows)), dtype=t) for n, t in RECORD_SCHEMA.items()})


def row(source: str, second: float, value: object, other: int) -> tuple[float, str, str]:
    return second, source, SAYS[source][0].format(value, other)


@pytest.fixture(scope="module")
def trained() -> tuple[Model, bytes]:
    chance = random.Random(11)
    rows = [
        row(name, 60 * i + chance.uniform(0, 50), chance.choice(usual) if usual else 9_000 + i, chance.randrange(9, 40))
        for name, (_, usual, _, _) in SAYS.items()
        for i in range(LINES)
    ]
    found = fit(frame(rows), now=START)
    return found.model, found.state


@pytest.mark.parametrize("source", [name for name, (_, _, news, _) in SAYS.items() if news is not None])
def test_value_that_was_never_there_is_news_and_named(trained: tuple[Model, bytes], source: str) -> None:
    """A status, a code, a count of errors or a state that its place never showed raises an alarm whose reason names it;
    the template shows no value of other lines."""
    new = SAYS[source][2]
    asked = frame([row(source, LATER_S + 90 * i, new, 20 + i) for i in range(8)])

    verdicts = Scorer(*trained).score(asked)

    alarms = verdicts.filter("is_anomaly")
    assert alarms.height >= 1
    assert alarms["kind"][0] == "new_value"
    assert f"the value {new} was never seen there before" in alarms["reasons"][0][0]
    usual = [str(value) for value in SAYS[source][1] or ()]
    assert all(value in alarms["reasons"][0][0] for value in usual)
    assert not set(usual) & set(verdicts["template"][0].replace(",", " ").replace("=", " ").split())


@pytest.mark.parametrize("source", SAYS)
def test_usual_values_counts_and_counters_are_no_news(trained: tuple[Model, bytes], source: str) -> None:
    """A usual value, one more of a small count, and a counter that begins anew raise no alarm."""
    usual = SAYS[source][3]
    values = [usual + i if source == "ticker" else usual for i in range(40)]
    asked = [row(source, LATER_S + 60 * i, value, 20 + i % 9) for i, value in enumerate(values)]

    verdicts = Scorer(*trained).score(frame(asked))

    assert verdicts.filter("is_anomaly")["reasons"].to_list() == []


def test_peek_of_a_new_value_changes_nothing(trained: tuple[Model, bytes]) -> None:
    """A peek tells the news each time; once observed, it is known."""
    scorer = Scorer(*trained)
    asked, again = (frame([row("billing", LATER_S + later_s, 554, 20)]) for later_s in (0.0, 90.0))

    before = scorer.state()
    first, second = scorer.peek(asked), scorer.peek(asked)

    assert first.equals(second)
    assert scorer.state() == before
    assert scorer.score(asked)["nats"][0] > scorer.peek(again)["nats"][0]


def test_model_with_slots_goes_through_its_parts(trained: tuple[Model, bytes]) -> None:
    """Slots and tables of values come back from a model's arrays and tables as they were."""
    again = Model.from_parts(*trained[0].to_parts())

    assert again.slots == trained[0].slots != {}
    assert np.array_equal(again.outcomes.values, trained[0].outcomes.values, equal_nan=True)


def test_places_that_bring_new_values_again_and_again_are_believed_less() -> None:
    """Where the slots showed something new late in the training, a new value is worth less."""
    texts = [f"unit {k} took path {value}" for k in "abc" for value in (17, 18)]
    tokens = [text.split(" ") for text in texts]
    lines, late = np.array([900.0, 0.0] * 3), np.array([300.0, 0.0] * 3)
    news = np.array([0.0, 30.0] * 3)

    calm = learn_slots(texts, tokens, lines, late)
    restless = learn_slots(texts, tokens, lines + news, late + news)

    assert {slot.values for slot in calm.values()} == {("17",)}
    assert max(slot.nats for slot in restless.values()) < min(slot.nats for slot in calm.values()) - 0.5
    assert learn_slots(texts, tokens, 0 * lines, 0 * lines) == {}


def test_numbers_that_never_stay_are_no_slots() -> None:
    """A number of many values is a measure: its table stays empty, and it is worth nothing."""
    chance = np.random.default_rng(5)
    numbers = np.column_stack([np.full(600, 7.0), chance.integers(0, 60, 600), *[np.full(600, np.nan)] * 2])

    found = learn_numbers(numbers, np.zeros(600, np.int64), 1, np.arange(600) >= 400)

    assert found.nats[0, 0] > 5.0
    assert found.nats[0, 1:].tolist() == [0.0, 0.0, 0.0]


def test_counters_are_told_from_measures() -> None:
    """What nearly always grows, or falls, counts on; what goes up and down does not."""
    chance, n = np.random.default_rng(5), np.arange(300.0)
    numbers = np.column_stack([n % 200, 900 - n, chance.integers(0, 99, 300), np.full(300, 5.0)])

    alone = np.zeros(300, np.int64)

    assert counters_in(numbers, alone, 1, alone).tolist() == [[True, True, False, False]]


def test_each_of_several_writers_counts_for_itself() -> None:
    """Counters of machines that report in turn count on, whatever each has reached; a measure does not."""
    chance, turn = np.random.default_rng(5), np.arange(360)
    writers, rounds = turn % 6, turn // 6
    numbers = np.column_stack([rounds, rounds + 900 * writers, chance.integers(0, 99, 360), np.full(360, 5.0)])
    places = np.zeros(360, np.int64)

    assert counters_in(numbers.astype(float), places, 1, writers).tolist() == [[True, True, False, False]]
    assert not counters_in(numbers.astype(float), places, 1, places).any()


def test_codes_are_found_where_they_were_not_masked() -> None:
    """A status and its class are codes; names with a digit and masks are none."""
    found = list(places_in("eth0 answered S4xx then code 137 to <NUM> on sda1", ()))

    assert [value for _, value in found] == ["S4xx", "137"]
    assert len({place for place, _ in found}) == 2
