"""Sessions through the whole detector: learnt by `fit`, told by the scorer, the same in every way of asking."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from sentinel.detect import Model, One, Scorer, Switches
from sentinel.detect.learn.fit import Trained, fit
from sentinel.errors import ArtifactError
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 3, 2, tzinfo=UTC)
LATER = START + timedelta(days=1)
USUAL = ["request begins", "row read", "row read", "answer written", "request over"]
CUT = ["request begins", "row read", "row read"]
BROKEN = ["request begins", "row read", "disk unreadable", "page lost", "answer written", "request over"]


def records(sessions: list[list[str]], prefix: str, start: datetime) -> pl.DataFrame:
    """A second between lines, ten between the beginnings of sessions."""
    rows = [
        {
            "event_id": f"{prefix}{i:05d}{at:03d}",
            "timestamp": start + timedelta(seconds=10 * i + at),
            "level": "info",
            "source": "api",
            "message": text,
            "attributes": f'{{"session": "{prefix}{i}"}}',
        }
        for i, session in enumerate(sessions)
        for at, text in enumerate(session)
    ]
    full = [{name: row.get(name) for name in RECORD_SCHEMA} for row in rows]
    return pl.DataFrame(full, schema=RECORD_SCHEMA).sort("timestamp", maintain_order=True)


@pytest.fixture(scope="module")
def taught() -> Trained:
    """A model of six hundred usual requests."""
    return fit(records([USUAL] * 600, "t", START), now=LATER, seed=1, trees=40)


@pytest.fixture(scope="module")
def asked() -> pl.DataFrame:
    """Forty requests, of which the eleventh breaks and the twenty-first stops amid its work."""
    sessions = [BROKEN if i == 10 else CUT if i == 20 else USUAL for i in range(40)]
    return records(sessions, "s", LATER)


def scorer_of(taught: Trained, *, on: bool = True) -> Scorer:
    return Scorer(taught.model, taught.state, switches=Switches(sessions=on))


def in_flight(verdicts: pl.DataFrame, asked: pl.DataFrame) -> list[tuple[str, float, list[str]]]:
    told = (
        verdicts.select("nats", "kind", "reasons").with_columns(asked["event_id"]).filter(pl.col("kind") == "session")
    )
    return list(told.select("event_id", "nats", "reasons").iter_rows())


def test_sessions_are_told_in_flight_and_at_their_end(taught: Trained, asked: pl.DataFrame) -> None:
    """The broken request alarms at the line that breaks it, the one that stops when its time is over; each once."""
    scorer = scorer_of(taught)

    verdicts = scorer.score(asked)
    over, said = scorer.ended()

    (flight,) = in_flight(verdicts, asked)
    assert flight[0].startswith("s00010")
    assert any("no session had it" in reason for reason in flight[2])
    assert over["attributes"].str.json_path_match("$.session").to_list() == ["s20"]
    assert over["attributes"].str.json_path_match("$.last_event").to_list() == ["s00020002"]
    assert said["kind"].to_list() == ["session"]
    assert any("is missing" in reason for reason in said["reasons"][0])
    assert scorer.ended()[0].is_empty()
    assert scorer.tick(LATER + timedelta(days=1))[0].filter(pl.col("origin") == "sessions").is_empty()


def test_sessions_are_silent_when_switched_off(taught: Trained, asked: pl.DataFrame) -> None:
    """Without the helper the line at which a session alarmed scores less, and nothing is told of sessions."""
    on, off = scorer_of(taught), scorer_of(taught, on=False)
    with_, without = on.score(asked), off.score(asked)
    at = (with_["kind"] == "session").arg_true()
    assert len(at) == 1
    assert (without["nats"][at] < with_["nats"][at]).all()
    assert "session" not in without["kind"].to_list()
    assert off.ended(for_good=True)[0].is_empty()


def test_sessions_are_the_same_in_every_way_of_asking(taught: Trained, asked: pl.DataFrame) -> None:
    """In one call, in pieces with a restart in between, alone, and with a timer: the same alarms, the same records."""
    whole = scorer_of(taught)
    flight, over = in_flight(whole.score(asked), asked), whole.ended()

    first = scorer_of(taught)
    pieces = [first.score(part) for part in asked.head(100).iter_slices(7)]
    second = Scorer(Model.from_parts(*taught.model.to_parts()), first.state())
    pieces += [second.score(part) for part in asked.tail(-100).iter_slices(13)]
    told = pl.concat([first.ended()[0], second.ended()[0]])

    timed, found = scorer_of(taught), []
    for part in asked.iter_slices(9):
        timed.score(part)
        found.append(timed.tick(part["timestamp"][-1])[0])

    assert in_flight(pl.concat(pieces), asked) == flight
    assert told.sort("event_id").equals(over[0].sort("event_id"))
    assert pl.concat(found).filter(pl.col("origin") == "sessions").equals(over[0])


def test_session_is_told_the_same_when_lines_come_alone(taught: Trained, asked: pl.DataFrame) -> None:
    """A line scored or peeked at alone alarms as it does in a batch."""
    batch, alone = scorer_of(taught).score(asked), scorer_of(taught)
    for row, nats, kind in zip(asked.iter_rows(named=True), batch["nats"], batch["kind"], strict=True):
        one = One(row["timestamp"].timestamp(), row["level"], row["source"], row["message"], row["attributes"])
        peeked, scored = alone.peek_one(one), alone.score_one(one)
        assert peeked == scored
        assert scored.kind == kind
        assert np.isclose(scored.nats, nats, rtol=0, atol=1e-9)


def test_peek_leaves_sessions_as_they_are(taught: Trained, asked: pl.DataFrame) -> None:
    """Peeking at lines of sessions changes no byte of the state."""
    scorer = scorer_of(taught)
    scorer.score(asked.head(52))
    state = scorer.state()
    peeked = scorer.peek(asked.tail(-52))
    assert scorer.state() == state
    assert peeked.equals(scorer.score(asked.tail(-52)))


def test_strange_session_stands_at_its_last_line_when_nothing_more_comes(taught: Trained, asked: pl.DataFrame) -> None:
    """A verdict a line: the session that stops is told at its last line, in the order of the lines."""
    verdicts = scorer_of(taught).score_whole(asked)
    told = verdicts.with_columns(asked["event_id"]).filter(pl.col("is_anomaly") & (pl.col("kind") == "session"))
    assert verdicts.height == asked.height
    assert told["event_id"].to_list()[1] == "s00020002"
    assert told["template"].to_list()[1] == "row read"
    assert told.height == 2


def test_model_without_sessions_says_why(trained: Trained) -> None:
    """Where no kind of session is of use the figures tell, and scoring does without."""
    assert taught_figures(trained)["session_kinds"] == len(trained.model.sessions)


def taught_figures(trained: Trained) -> dict[str, float]:
    return Model.from_parts(*trained.model.to_parts()).session_figures


def test_old_model_is_refused_with_a_clear_message(taught: Trained) -> None:
    """A model of the format before sessions is not read."""
    arrays, tables = taught.model.to_parts()
    with pytest.raises(ArtifactError, match="train again"):
        Model.from_parts(arrays, {**tables, "format": 1})
