"""What stands beside a message: a status, an exit code, who it was; loggers of JSON say it there and nowhere else."""

import random
from datetime import UTC, datetime, timedelta

import orjson
import polars as pl
import pytest

from sentinel.detect import Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.detect.learn.fit import fit
from sentinel.detect.models.model import Model
from sentinel.detect.read.coded import One
from sentinel.detect.read.fields import told
from sentinel.records import RECORD_SCHEMA

START = datetime(2026, 3, 2, tzinfo=UTC)
AFTER_S = 90_060.0

Row = tuple[float, str, str, dict[str, str]]


def records(rows: list[Row]) -> pl.DataFrame:
    count = len(rows)
    known = {
        "event_id": [f"{i:022d}" for i in range(count)],
        "timestamp": [START + timedelta(seconds=second) for second, *_ in rows],
        "received": [START] * count,
        "level": ["info"] * count,
        "source": [source for _, source, *_ in rows],
        "message": [message for *_, message, _ in rows],
        "attributes": [orjson.dumps(fields).decode() for *_, fields in rows],
    }
    return pl.DataFrame({n: pl.Series(n, known.get(n, [None] * count), dtype=t) for n, t in RECORD_SCHEMA.items()})


def served(second: float, status: str, i: int = 4) -> Row:
    fields = {"status": status, "path": f"/o/{i % 40}", "client_ip": f"10.0.0.{i % 30}"}
    return (second, "gateway", "request served", fields)


def login(second: float, result: str, user: str, ip: str) -> Row:
    return (second, "auth", "login", {"result": result, "user": user, "ip": ip})


def job(second: float, code: str) -> Row:
    return (second, "cron", "job finished", {"exit_code": code, "job": "sync"})


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    """Of a day of three services, whose messages never change."""
    chance, rows = random.Random(3), list[Row]()
    for i in range(3_000):
        at_s = 30.0 * i + chance.uniform(0, 25)
        rows.append(served(at_s, chance.choice(["200"] * 9 + ["304"]), i))
        if i % 6 == 0:
            rows.append(job(at_s + 1, "0"))
        if i % 9 == 0:
            rows.append(login(at_s + 2, "ok", chance.choice(["ann", "bob", "cid"]), f"10.0.1.{chance.randrange(9)}"))
        if i % 90 == 0:
            rows.append(login(at_s + 3, "failed", "ann", "10.0.1.3"))
    trained = fit(records(rows), seed=0, now=START)
    return Scorer(trained.model, trained.state)


@pytest.mark.parametrize(
    ("text", "fields", "wanted"),
    [
        ("request served", {"status": "500", "path": "/a"}, "request served status=500"),
        ("done", {"http.response.status_code": "503", "service.name": "x"}, "done status_code=503"),
        ("login", {"user.name": "ann", "ClientIp": "192.0.2.7"}, "login user=ann clientip=192.0.2.7"),
        ("job ended", {"exitCode": "137", "errors": "412"}, "job ended exitcode=137 errors=412"),
        ("login of ann failed", {"user": "ann"}, "login of ann failed"),
        ('GET / HTTP/1.1" 404 12', {"status": "404"}, 'GET / HTTP/1.1" 404 12'),
        ("worked", {"status": "all is well, thank you", "user": ""}, "worked"),
        ("plain", {}, "plain"),
    ],
)
def test_fields_that_tell_are_said_behind_the_message(text: str, fields: dict[str, str], wanted: str) -> None:
    """By their names, short values alone, and none that the text says itself."""
    assert told(text, orjson.dumps(fields).decode()) == wanted
    assert told(text, None) == text


def test_usual_fields_are_no_anomaly(scorer: Scorer) -> None:
    """What was there in training says nothing."""
    assert not scorer.peek(records([served(AFTER_S + 30 * k, "200") for k in range(8)]))["is_anomaly"].any()


def test_a_status_never_seen_is_named(scorer: Scorer) -> None:
    """The message is the same, the field is another."""
    found = scorer.peek(records([served(AFTER_S + 30 * k, "500") for k in range(8)])).filter("is_anomaly")

    assert found.height > 0
    assert "500" in " ".join(found["reasons"].explode())


def test_an_exit_code_that_is_none_of_success_is_found(scorer: Scorer) -> None:
    """137 is what a killed process leaves."""
    assert scorer.peek(records([job(AFTER_S + 300 * k, "137") for k in range(4)]))["is_anomaly"].any()


def test_guessing_in_fields_is_brute_force_of_its_address(scorer: Scorer) -> None:
    """Who guesses stands in a field, and so does that it failed."""
    rows = [login(AFTER_S + 2 * k, "failed", ("root", "admin", "test")[k % 3], "203.0.113.9") for k in range(40)]
    found = scorer.peek(records(rows))

    assert found["kind"][-1] == "brute_force"
    assert "203.0.113.9" in found["reasons"][-1][0]
    assert actors_of(records(rows[:1])) == ["203.0.113.9"]


def test_one_line_reads_as_many_do(scorer: Scorer) -> None:
    """A single record has the verdict of its frame."""
    second, source, message, fields = served(AFTER_S, "500")
    at_s = (START + timedelta(seconds=second)).timestamp()
    one = scorer.peek_one(One(at_s, "info", source, message, orjson.dumps(fields).decode()))

    assert one.template == scorer.peek(records([served(AFTER_S, "500")]))["template"][0]
    assert "status=500" in one.template


def test_model_of_before_goes_on_reading_messages_alone(scorer: Scorer) -> None:
    """Its templates hold no fields, so that each line would be new to it until the next training."""
    arrays, tables = scorer.model.to_parts()
    assert Model.from_parts(arrays, tables).reads_fields
    del tables["reads_fields"]
    old = Model.from_parts(arrays, tables)
    assert not old.reads_fields

    verdicts = Scorer(old).peek(records([served(AFTER_S, "500")]))
    assert "status" not in verdicts["template"][0]
