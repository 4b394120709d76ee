"""What people said, on verdicts and in training: real lines never teach, false alarms do; each source its threshold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.incidents.feedback import Word
from sentinel.pipeline.feedback import (
    Said,
    end_mutes,
    list_feedback,
    mute_template,
    say,
    undo,
)
from sentinel.pipeline.incidents import Wanted, keep, list_incidents
from sentinel.pipeline.labels import called_false, without_real
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.settle import settle
from sentinel.pipeline.threshold import forget_threshold, preview, set_threshold, shown_threshold
from sentinel.pipeline.words import Heard
from sentinel.records import ANOMALY_COLUMNS, RECORD_SCHEMA, VERDICT_SCHEMA

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
NOW_S = START.timestamp() + 600


def anomalies(
    count: int, *, kind: str = "brute_force", address: str = "203.0.113.9", source: str = "sshd"
) -> pl.DataFrame:
    """`count` anomalies of one cause, one a second."""
    rows = [
        {
            "event_id": f"{source}{address}{i}-m1",
            "event": f"{source}{address}{i}",
            "partition": "2026.11",
            "timestamp": START + timedelta(seconds=i),
            "received": START + timedelta(seconds=i),
            "source": source,
            "host": "web-1",
            "message": f"Failed password for root from {address} port {4000 + i} ssh2",
            "anomaly_score": 0.6,
            "nats": 10.0 + i / 10,
            "threshold": 0.5,
            "is_anomaly": True,
            "kind": kind,
            "reasons": ["why"],
            "template": "Failed password for <USER> from <IP> port <NUM> ssh2",
            "model_version": "m1",
            "confidence": "normal",
        }
        for i in range(count)
    ]
    schema = {**RECORD_SCHEMA, **ANOMALY_COLUMNS}
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


@pytest.fixture
def seen(sentinel: Sentinel) -> str:
    """An attack that was told; its incident."""
    frame = anomalies(20)
    (incident,) = keep(sentinel.spool, frame, ["203.0.113.9"] * frame.height)
    return incident.id


def judged(sentinel: Sentinel, frame: pl.DataFrame, now_s: float = NOW_S) -> pl.DataFrame:
    heard = Heard(sentinel.spool, 7.5, now_s)
    return heard.apply(frame.select(*RECORD_SCHEMA), frame.select(*VERDICT_SCHEMA))


def test_a_false_alarm_is_kept_acts_and_is_undone(sentinel: Sentinel, seen: str) -> None:
    """Its lines are no anomalies and say who called them that; the incident is muted, and open again when undone."""
    word = say(sentinel.spool, Said("false_alarm", incident=seen, by="anna"), NOW_S)
    assert word is not None

    quiet = judged(sentinel, anomalies(3))
    other = judged(sentinel, anomalies(3, address="203.0.113.10"))
    muted = list_incidents(sentinel.spool, Wanted())[0].state
    settle(sentinel.spool, NOW_S + 90_000)
    later = list_incidents(sentinel.spool, Wanted())[0].state

    assert quiet["is_anomaly"].to_list() == [False] * 3
    assert quiet["reasons"][0].to_list()[0] == f"called a false alarm by a person ({word.id})"
    assert other["is_anomaly"].to_list() == [True] * 3
    assert (muted, later) == ("muted", "muted")
    assert [found.by for found in list_feedback(sentinel.spool, NOW_S)] == ["anna"]
    assert (undo(sentinel.spool, word.id), undo(sentinel.spool, word.id)) == (True, False)
    assert judged(sentinel, anomalies(3))["is_anomaly"].to_list() == [True] * 3
    assert list_incidents(sentinel.spool, Wanted())[0].state == "open"


def test_a_mute_ends_by_itself(sentinel: Sentinel, seen: str) -> None:
    """From `until` on the lines alarm, and the incident is no longer muted."""
    say(sentinel.spool, Said("false_alarm", incident=seen, until_s=NOW_S + 60), NOW_S)

    before, after = judged(sentinel, anomalies(1), NOW_S + 59), judged(sentinel, anomalies(1), NOW_S + 61)
    ended = end_mutes(sentinel.spool, NOW_S + 59), end_mutes(sentinel.spool, NOW_S + 61)

    assert (before["is_anomaly"][0], after["is_anomaly"][0]) == (False, True)
    assert ended == (0, 1)
    assert list_incidents(sentinel.spool, Wanted())[0].state == "open"


def test_what_is_real_lets_near_misses_alarm(sentinel: Sentinel, seen: str) -> None:
    """Lines like it get 2.5 nats, others none."""
    say(sentinel.spool, Said("real", incident=seen), NOW_S)
    near = anomalies(1).with_columns(nats=pl.lit(5.5), is_anomaly=pl.lit(value=False))
    far = anomalies(1, address="198.51.100.7").with_columns(nats=pl.lit(5.5), is_anomaly=pl.lit(value=False))

    assert judged(sentinel, near).row(0, named=True)["is_anomaly"]
    assert judged(sentinel, near)["nats"][0] == 8.0
    assert not judged(sentinel, far)["is_anomaly"][0]


def test_real_lines_never_teach_and_false_alarms_do(sentinel: Sentinel, seen: str) -> None:
    """By their events and by actor, source and time; other lines of the same time are as they were."""
    word = say(sentinel.spool, Said("real", incident=seen), NOW_S)
    assert word is not None
    records = pl.concat([anomalies(20), anomalies(5, address="198.51.100.7")]).select(*RECORD_SCHEMA)

    teaches = without_real([word], records)
    false = called_false([_as_false(word)], records)

    assert teaches.to_list() == [False] * 20 + [True] * 5
    assert false.to_list() == [True] * 20 + [False] * 5
    assert without_real([], records).all()


def _as_false(word: Word) -> Word:
    import msgspec

    return msgspec.structs.replace(word, verdict="false_alarm")


def test_a_template_can_be_muted_by_its_text(sentinel: Sentinel, seen: str) -> None:
    """Only one that some anomaly has."""
    text = anomalies(1)["template"][0]

    word = mute_template(sentinel.spool, text, NOW_S + 60, now_s=NOW_S, by="anna")

    assert word is not None
    assert word.templates == (text,)
    assert mute_template(sentinel.spool, "no such", NOW_S + 60, now_s=NOW_S, by="anna") is None


def test_one_anomaly_can_be_spoken_of(sentinel: Sentinel, seen: str) -> None:
    """By its id; nothing for one that is not there."""
    said = Said("false_alarm", anomaly="sshd203.0.113.93-m1", scope="line")

    word = say(sentinel.spool, said, NOW_S)

    assert word is not None
    assert word.lines == ((anomalies(1)["template"][0], "sshd", "203.0.113.9"),)
    assert say(sentinel.spool, replace(said, anomaly="none"), NOW_S) is None


def test_a_source_has_a_threshold_of_its_own(sentinel: Sentinel) -> None:
    """Its lines are judged by it, those of others by that of all; back to the setting for one or for all."""
    lines = pl.concat([anomalies(1), anomalies(1, source="nginx")])
    set_threshold(sentinel.spool, 7.5, nats=20, now_s=NOW_S)
    set_threshold(sentinel.spool, 7.5, nats=9, source="nginx", now_s=NOW_S)

    verdicts = judged(sentinel, lines)
    kept = shown_threshold(sentinel.spool, 7.5)

    assert verdicts["is_anomaly"].to_list() == [False, True]
    assert (kept["nats"], kept["sources"]["nginx"]["nats"]) == (20.0, 9.0)
    assert forget_threshold(sentinel.spool, 7.5, source="nginx")["sources"] == {}
    assert forget_threshold(sentinel.spool, 7.5)["nats"] == 7.5


def test_a_budget_counts_incidents_not_lines(sentinel: Sentinel) -> None:
    """Three incidents of twenty lines each within a day: a budget of two shows the two strangest."""
    for number, source in enumerate(("a", "b", "c")):
        frame = anomalies(20, kind="rare_template", source=source).with_columns(pl.col("nats") + number)
        keep(sentinel.spool, frame, [""] * frame.height)

    shown = preview(sentinel.spool, 7.5, alerts_per_day=2, now_s=NOW_S)

    assert [found["sources"] for found in shown["incidents"]] == [["c"], ["b"]]
    assert shown["per_day"] == 2.0
    assert shown_threshold(sentinel.spool, 7.5)["is_set"] is False
