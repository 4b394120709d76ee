"""Labels survive a retrain: with real trainings, what is real never teaches, false alarms do, and the gate asks."""

from datetime import datetime, timedelta

import polars as pl

from sentinel.detect import Scorer
from sentinel.detect.models.registry import Registry
from sentinel.incidents.feedback import Word
from sentinel.pipeline.labels import labelled
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.said import write_words
from sentinel.pipeline.train import train
from sentinel.pipeline.words import Heard
from sentinel.records import RECORD_SCHEMA
from tests.pipeline.conftest import START

LINES = 2_400
ATTACK = "replica set lost its quorum, node n7 steps down"


def records(
    messages: list[str], *, source: str, start: datetime, step_s: float = 5.0, level: str = "info"
) -> pl.DataFrame:
    at = [start + timedelta(seconds=step_s * i) for i in range(len(messages))]
    known = {
        "event_id": [f"{source}{start:%d%H%M}{i:06d}" for i in range(len(messages))],
        "timestamp": at,
        "received": at,
        "level": [level] * len(messages),
        "source": [source] * len(messages),
        "message": messages,
    }
    nothing: list[None] = [None] * len(messages)
    return pl.DataFrame({n: pl.Series(n, known.get(n, nothing), dtype=t) for n, t in RECORD_SCHEMA.items()})


def usual(start: datetime = START) -> pl.DataFrame:
    return records([f"order {i % 50} stored in {i % 7} ms" for i in range(LINES)], source="shop", start=start)


def guesses(start: datetime, count: int = 200) -> pl.DataFrame:
    texts = [f"Failed password for root from 203.0.113.9 port {40_000 + i} ssh2" for i in range(count)]
    return records(texts, source="sshd", start=start, step_s=0.5)


def word(verdict: str, about: pl.DataFrame, **more: object) -> Word:
    times = about["timestamp"].dt.epoch("ms") / 1e3
    given: dict[str, object] = {
        "id": "w1",
        "verdict": verdict,
        "scope": "template",
        "at_s": START.timestamp(),
        "by": "anna",
        "sources": tuple(about["source"].unique()),
        "messages": tuple(about["message"].unique(maintain_order=True)[:50]),
        "events": tuple(about["event_id"][:500]),
        "first_s": times[0],
        "last_s": times[-1],
    }
    return Word(**{**given, **more})  # type: ignore[arg-type]


def together(*frames: pl.DataFrame) -> pl.DataFrame:
    return pl.concat(frames).sort("timestamp", maintain_order=True)


def champion(registry: Registry) -> Scorer:
    model, state = registry.load(registry.champion() or "")
    return Scorer(model, state)


def reason_of(registry: Registry, message: str) -> str:
    """What the champion says first of a line that comes next; empty for nothing strange."""
    line = records([message], source="db", start=START + timedelta(hours=5), level="error")
    return next(iter(champion(registry).score(line)["reasons"][0]), "")


def test_what_is_real_stays_unknown_to_the_next_model(sentinel: Sentinel) -> None:
    """Without a word a failure that came all the time is usual; called real, it is as new as before."""
    trouble = records([ATTACK] * 60, source="db", start=START, step_s=180, level="error")
    lines = together(usual(), trouble)

    train(sentinel.registry, lines)
    silent = reason_of(sentinel.registry, ATTACK)
    train(sentinel.registry, lines, words=[word("real", trouble)])
    told = reason_of(sentinel.registry, ATTACK)

    assert "never seen" not in silent
    assert told.startswith("a kind of line never seen before")


def test_false_alarm_teaches_what_the_champion_calls_an_attack(sentinel: Sentinel) -> None:
    """A hammering monitor is left out of the nightly training; called a false alarm, it is learnt."""
    train(sentinel.registry, usual())
    hammering = guesses(START + timedelta(hours=1))
    lines = together(usual(), hammering)

    without = train(sentinel.registry, lines, exclude_anomalies=True)
    told = [word("false_alarm", hammering)]
    with_word = train(sentinel.registry, lines, exclude_anomalies=True, words=told)

    assert without.excluded >= 190
    assert with_word.excluded == 0


def test_gate_holds_back_a_model_that_misses_what_was_called_real(sentinel: Sentinel) -> None:
    """A model that took the attack for usual, from other records than those spoken of, stands back."""
    real = records([ATTACK], source="db", start=START + timedelta(hours=2), level="error")
    first = train(sentinel.registry, usual())
    poisoned = records([ATTACK] * 60, source="db", start=START, step_s=180, level="error")

    second = train(sentinel.registry, together(usual(), poisoned), words=[word("real", real)])
    again = train(sentinel.registry, together(usual(), poisoned))

    failed = [name for name, passed, _ in second.checks if not passed]
    assert failed == ["labelled lines: no worse than the champion"]
    assert not second.promoted
    assert again.promoted
    assert first.promoted


def test_labelled_lines_come_after_all_others_and_apart(sentinel: Sentinel) -> None:
    """Real ones are 1, false alarms 0; nothing said is nothing asked."""
    told = [word("real", guesses(START, 3)), word("false_alarm", guesses(START, 2), id="w2")]

    lines = labelled(told, START)

    assert lines["label"].to_list() == [1, 1, 1, 0, 0]
    assert lines["timestamp"].is_sorted()
    assert lines["timestamp"][0] > START
    assert lines["timestamp"][3] - lines["timestamp"][2] > timedelta(minutes=59)
    assert labelled([], START).is_empty()


def test_word_holds_under_a_model_with_other_templates(sentinel: Sentinel) -> None:
    """A retrain that generalises the template of a false alarm does not bring the alarm back."""
    told = [f"volume {name} grew beyond its plan" for name in ("alpha", "beta", "gamma", "delta", "omega")]
    train(sentinel.registry, together(usual(), records(told * 30, source="disk", start=START)))
    scorer = champion(sentinel.registry)
    (template,) = scorer.templates_of([told[0]])
    old = "volume alpha grew beyond its plan"
    assert template != old
    about = records([told[0]], source="disk", start=START)
    with sentinel.spool.transaction() as tx:
        write_words(tx, [word("false_alarm", about, templates=(old,), peak_nats=20.0)])
    verdict = scorer.score(records([told[1]], source="disk", start=START + timedelta(hours=5)))
    strange = verdict.with_columns(nats=pl.lit(9.0), is_anomaly=pl.lit(value=True), kind=pl.lit("rare_template"))

    heard = Heard(sentinel.spool, 7.5, START.timestamp())
    before = heard.apply(records([told[1]], source="disk", start=START), strange)["is_anomaly"][0]
    heard.tune(scorer)
    after = heard.apply(records([told[1]], source="disk", start=START), strange)["is_anomaly"][0]

    assert (before, after) == (True, False)
