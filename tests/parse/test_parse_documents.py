"""JSON documents: what is explicit stands, what is open is read from the message, what is unusable is refused."""

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.parse import Document, Malformed, Parsed, parse_documents
from sentinel.parse.lines import MAX_LINE_BYTES
from sentinel.parse.small_batch import MAX_FEW, read_few
from sentinel.records import LEVELS, RECORD_SCHEMA

LINE = "Dec 10 06:55:46 LabSZ sshd[24200]: Invalid user admin"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW_NS = int(NOW.timestamp()) * 10**9
ReadDocument = Callable[..., dict[str, Any]]
ReadDocuments = Callable[..., Parsed]


def test_explicit_fields_stand(read_document: ReadDocument) -> None:
    """They beat whatever the message says, and the message stays whole."""
    record = read_document(
        {"timestamp": "2024-01-02T03:04:05+01:00", "level": "warning", "message": LINE, "source": "web", "host": "h"}
    )

    assert record["timestamp"] == datetime(2024, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert (record["level"], record["source"], record["host"], record["message"]) == ("warn", "web", "h", LINE)
    assert record["attributes"] is None
    assert (record["event_id"], record["origin"], record["generation"]) == ("0" * 22, "10.0.0.9", None)


def test_message_is_read_as_a_line_when_nothing_else_is_given(read_document: ReadDocument) -> None:
    """Then its header goes where it belongs, beside the document's own attributes."""
    record = read_document({"message": LINE, "env": "prod"})

    assert record["timestamp"] == datetime(2025, 12, 10, 6, 55, 46, tzinfo=UTC)
    assert (record["source"], record["host"], record["message"]) == ("sshd", "LabSZ", "Invalid user admin")
    assert json.loads(record["attributes"]) == {"env": "prod", "pid": "24200"}


def test_open_fields_are_read_from_the_message_which_stays_whole(read_document: ReadDocument) -> None:
    """Only what is not given is filled."""
    record = read_document({"source": "web", "message": "2024-01-02 03:04:05 ERROR my.app: lost"})

    assert record["timestamp"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (record["level"], record["source"]) == ("error", "web")
    assert record["message"] == "2024-01-02 03:04:05 ERROR my.app: lost"


def test_source_is_unknown_when_nobody_names_one(read_document: ReadDocument) -> None:
    """A source is never null: books are kept by it."""
    assert read_document({"timestamp": 5, "level": "info", "message": "x"})["source"] == "unknown"


def test_unreadable_time_is_marked_not_read_from_the_message(read_document: ReadDocument) -> None:
    """A time was given; that it cannot be read must show."""
    record = read_document({"timestamp": "yesterday", "message": LINE})

    assert record["timestamp"] == NOW
    assert json.loads(record["attributes"])["timestamp_unreadable"] == "yesterday"


@pytest.mark.parametrize(
    ("number", "expected"),
    [(1704164645, 0), (1704164645.25, 250_000), (1704164645250, 250_000), (1704164645250000, 250_000),
     (1704164645250000000, 250_000)],
)  # fmt: skip
def test_number_is_a_time_in_the_unit_of_its_size(number: float, expected: int, read_document: ReadDocument) -> None:
    """Seconds, milli-, micro- or nanoseconds since 1970."""
    record = read_document({"timestamp": number, "message": "x"})

    assert record["timestamp"] == datetime(2024, 1, 2, 3, 4, 5, expected, tzinfo=UTC)


@pytest.mark.parametrize(
    ("names", "field", "value"),
    [
        (("@timestamp", "time", "ts", "asctime"), "timestamp", "2024-01-02T03:04:05Z"),
        (("severity", "log.level", "lvl", "levelname", "sev"), "level", "warn"),
        (("logger", "service", "program", "app", "name"), "source", "api"),
        (("hostname", "host.name"), "host", "h1"),
    ],
)
def test_other_names_are_known(names: tuple[str, ...], field: str, value: str, read_document: ReadDocument) -> None:
    """Writers of JSON do not agree on names; each of these is understood, and is no attribute."""
    for name in names:
        record = read_document({name: value, "msg": "x"})

        found = record[field].isoformat() if field == "timestamp" else record[field]
        assert found == ("2024-01-02T03:04:05+00:00" if field == "timestamp" else value), name
        assert record["attributes"] is None


def test_best_name_wins_and_the_other_stays(read_document: ReadDocument) -> None:
    """Whatever their order, no value is lost."""
    for body in ({"name": "bob", "logger": "api", "msg": "x"}, {"logger": "api", "name": "bob", "msg": "x"}):
        record = read_document(body)

        assert record["source"] == "api"
        assert json.loads(record["attributes"]) == {"name": "bob"}


def test_unknown_fields_become_flat_texts(read_document: ReadDocument) -> None:
    """Nested ones with dots; numbers, booleans and arrays as JSON; null is nothing."""
    record = read_document(
        {"message": "x", "a": {"b": {"c": 1.5}, "d": True}, "e": [1, {"f": 2}], "g": None, "h": 'q"\n', "i": {}}
    )

    assert json.loads(record["attributes"]) == {
        "a.b.c": "1.5", "a.d": "true", "e": '[1,{"f":2}]', "h": 'q"\n', "i": "{}",
    }  # fmt: skip


def test_unknown_level_is_kept_as_an_attribute(read_document: ReadDocument) -> None:
    """It is none of our six, and it is not lost."""
    record = read_document({"level": "banana", "message": "x"})

    assert record["level"] is None
    assert json.loads(record["attributes"]) == {"level": "banana"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "message is missing"),
        ({"message": None}, "message is missing"),
        ({"message": ""}, "message is empty"),
        ({"message": " \n"}, "message is empty"),
        (5, "a log must be a JSON object, not a number"),
        (None, "a log must be a JSON object, not null"),
        ("text", "a log must be a JSON object, not text"),
        (Malformed("line 3 column 1: no JSON"), "line 3 column 1: no JSON"),
        ({"timestamp": 5, "level": "info", "source": "web"}, "message is missing"),
    ],
)
def test_unusable_document_is_rejected_with_its_reason(
    body: object, reason: str, read_documents: ReadDocuments
) -> None:
    """It alone, by its position; the others are accepted."""
    parsed = read_documents({"message": "a"}, body, {"message": "b"})

    assert parsed.rejected.rows() == [(1, reason)]
    assert parsed.records["message"].to_list() == ["a", "b"]
    assert parsed.records["event_id"].to_list() == [f"{0:022d}", f"{2:022d}"]


@pytest.mark.parametrize(
    ("message", "text"),
    [(5, "5"), (True, "true"), (["a", "b"], "a\nb"), ([1, "a"], '[1,"a"]'),
     ([99, 97, 102, 233, 13], "caf\\xe9"), ([27, 91, 51, 49, 109, 114, 101, 100, 27, 91, 48, 109], "red")],
)  # fmt: skip
def test_message_of_another_type_becomes_text(message: object, text: str, read_document: ReadDocument) -> None:
    """Nothing is refused that a file would keep; journald's bytes and several values are read as what they are."""
    assert read_document({"message": message, "level": "info"})["message"] == text


@pytest.mark.parametrize(
    "time",
    [
        {"timestamp": [2024, 1, 2, 3, 4, 5, 250_000_000]},
        {"timestamp": [1_704_164_645, 250_000_000]},
        {"datetime": {"date": "2024-01-02 04:04:05.250000", "timezone_type": 3, "timezone": "Europe/Berlin"}},
        {"datetime": {"date": "2024-01-02 03:04:05.250000", "timezone_type": 1, "timezone": "+00:00"}},
        {"timestamp": "2024-01-02 03:04:05.250", "timezone": "America/Lima"},
    ],
    ids=range(5),
)
def test_time_in_parts_is_one(time: dict[str, object], read_document: ReadDocument) -> None:
    """Arrays of Java and of counts since 1970, PHP's object; a zone counts in the time's own object alone: at the top
    it may be a user's."""
    record = read_document({"message": "x", **time})

    assert record["timestamp"] == datetime(2024, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "parts",
    [[2024, 13, 2, 3, 4], [2024, 1, 2], [1, 2], [2024, 1, 2, 3, 4, 5, 10**9], [1900, 1, 1, 0, 0], [], [2024.0] * 6],
)
def test_parts_that_are_no_time_are_marked(parts: list[float], read_document: ReadDocument) -> None:
    """A wrong guess would be worse than none."""
    record = read_document({"message": "x", "timestamp": parts})

    assert record["timestamp"] == NOW
    assert json.loads(json.loads(record["attributes"])["timestamp_unreadable"]) == parts


@pytest.mark.parametrize(
    ("body", "level"),
    [({"severityLevel": 3}, "error"), ({"severityLevel": 9}, None), ({"pri": 1}, "fatal"), ({"pri": "30"}, "info"),
     ({"pri": 192}, None), ({"log.syslog.severity.code": 4}, "warn")],
)  # fmt: skip
def test_number_of_a_scale_that_its_name_tells(
    body: dict[str, object], level: str | None, read_document: ReadDocument
) -> None:
    """Application Insights counts from 0 to 4, a PRI holds a facility as well."""
    assert read_document({"message": "x", **body})["level"] == level


def test_message_inside_an_object_is_the_message(read_document: ReadDocument) -> None:
    """What stands beside it in the object is an attribute; an error's own text serves where there is no other."""
    nested = read_document({"message": {"text": "declined", "code": 5}})
    error = read_document({"level": "error", "error": {"message": "declined", "code": 5}})

    assert nested["message"] == error["message"] == "declined"
    assert json.loads(nested["attributes"]) == {"message.code": "5"}


@pytest.mark.parametrize(
    "time", [True, math.nan, math.inf, -5, 1e30, 10**4000, ["a"], "0001-01-01T00:00:00Z"], ids=range(8)
)
def test_time_of_no_use_is_marked(time: object, read_document: ReadDocument) -> None:
    """The log is kept with the time of its arrival: a clock that is wrong costs a time, not a log."""
    record = read_document({"message": "x", "timestamp": time})

    assert record["timestamp"] == NOW
    assert json.loads(record["attributes"])["timestamp_unreadable"]


@pytest.mark.parametrize(("name", "value"), [("level", ["banana"]), ("level", True), ("source", [{"a": 1}])])
def test_value_that_its_field_cannot_hold_is_an_attribute(
    name: str, value: object, read_document: ReadDocument
) -> None:
    """It is kept as JSON, and the field stays open."""
    assert name in json.loads(read_document({"message": "x", name: value})["attributes"])


def test_document_without_a_message_is_its_own(read_document: ReadDocument) -> None:
    """Its time, level and all the rest are read all the same."""
    record = read_document({"time": "2024-01-02T03:04:05Z", "level": "error", "user": {"name": "ann"}})

    assert record["message"] == '{"time":"2024-01-02T03:04:05Z","level":"error","user":{"name":"ann"}}'
    assert (record["timestamp"], record["level"]) == (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "error")
    assert json.loads(record["attributes"]) == {"user.name": "ann"}


def test_object_under_source_is_a_group_of_fields(read_document: ReadDocument) -> None:
    """ECS writes the peer of a connection there."""
    record = read_document({"source": {"ip": "1.2.3.4"}, "message": "x"})

    assert record["source"] == "unknown"
    assert json.loads(record["attributes"]) == {"source.ip": "1.2.3.4"}


def test_overlong_message_is_cut_and_marked(read_document: ReadDocument) -> None:
    """As a line is."""
    record = read_document({"message": "é" * MAX_LINE_BYTES, "level": "info", "source": "s", "timestamp": 5})

    assert record["message"] == "é" * (MAX_LINE_BYTES // 2)
    assert json.loads(record["attributes"]) == {"cut_bytes": str(2 * MAX_LINE_BYTES)}


def test_lone_surrogates_are_escaped(read_document: ReadDocument) -> None:
    """They cannot be written as UTF-8, so they cannot be stored as they are."""
    record = read_document({"message": "a \ud800", "source": "s\udfff", "k\ud800": "v\ud800"})

    assert (record["message"], record["source"]) == ("a \\ud800", "s\\udfff")
    assert json.loads(record["attributes"]) == {"k\\ud800": "v\\ud800"}


def test_nothing_becomes_nothing(read_documents: ReadDocuments) -> None:
    """Empty in, empty out; all refused, no records."""
    assert read_documents().records.height == 0
    assert read_documents(1, 2).records.height == 0
    assert dict(read_documents(1).records.schema) == RECORD_SCHEMA


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["message", "timestamp", "level", "source", "host", "time", "msg", "log", "a", "name"])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6) | VALUES, max_size=6))
def test_any_values_are_accepted_or_rejected(bodies: list[object]) -> None:
    """Nothing raises, and each document is exactly one of the two."""
    parsed = parse_documents([Document(body, str(i), "c") for i, body in enumerate(bodies)], now=NOW)

    accepted = [int(i) for i in parsed.records["event_id"]]
    assert sorted(accepted + parsed.rejected["index"].to_list()) == list(range(len(bodies)))
    assert parsed.records["level"].drop_nulls().is_in(LEVELS).all()
    assert parsed.records["source"].null_count() == 0
    for text in parsed.records["attributes"].drop_nulls():
        assert all(isinstance(value, str) for value in json.loads(text).values())


def test_one_document_is_read_as_in_a_batch(read_documents: ReadDocuments, read_document: ReadDocument) -> None:
    """A handful takes quicker ways; they lead to the same place."""
    bodies = [{"message": LINE, "timestamp": t} for t in ("2024-01-02T03:04:05Z", "Jan  2 03:04:05", 17, "2024-02-30")]

    batch = read_documents(*bodies, *[{"message": f"{LINE} {i}"} for i in range(100)]).records

    for i, body in enumerate(bodies):
        alone = read_document(body)
        assert {**alone, "event_id": None} == {**batch.row(i, named=True), "event_id": None}


WRITTEN = """2026-01-02T03:04:05Z|2026-01-02 03:04:05,123|2026-01-02T03:04:05.123456+02:00|2026-01-02T03:04:05+2300
2026-01-02T03:04:05.123456789Z|2026-02-30T03:04:05Z|1970-01-01T00:00:00+01:00|2300-01-01T00:00:00Z|2026-W01-1T03:04:05
2026-01-02|2026-01-02T24:00:00Z|Dec 10 06:55:46|| 2026-01-02T03:04:05Z """.replace("\n", "|").split("|")
MESSAGES = """x|error: lost|[WARN] low|Warning: low|ends in a space |GET /a|-|2024-01-02 03:04:05 ERROR my.app: lost
level=info msg=x a=b|key=value|kernel: [1.5] x""".replace("\n", "|").split("|")
TIMES = st.sampled_from([*WRITTEN, 5, 1.7e9, -1])
TEXTS = st.sampled_from([*MESSAGES, LINE, "a\x1c", "\ud800", "long " * 600])
GOOD = st.fixed_dictionaries(
    {"message": TEXTS},
    optional={
        "timestamp": TIMES,
        "level": st.sampled_from(["info", "WARN", 30, "strange", None]),
        "source": st.sampled_from(["web", "", None, 7]),
        "host": st.sampled_from(["h", None]),
        "user": st.sampled_from(["bob", 5, {"name": "bob"}, None]),
    },
)


@settings(max_examples=200, deadline=None)
@given(st.lists(GOOD, min_size=1, max_size=6))
def test_few_documents_are_read_as_many_are(bodies: list[object]) -> None:
    """The quick way for a few documents agrees with the way of batches."""
    documents = [Document(body, str(i), "c") for i, body in enumerate(bodies)]
    filler = [Document({"message": LINE}, "filler", "c")] * (MAX_FEW + 1)

    few, many = parse_documents(documents, now=NOW), parse_documents([*documents, *filler], now=NOW)

    assert few.records.rows() == many.records.filter(pl.col("event_id") != "filler").rows()
    assert few.rejected.rows() == many.rejected.rows()


def test_few_documents_take_the_quick_way() -> None:
    """Where they say all themselves, with or without a level."""
    bodies = [
        {"timestamp": "2026-01-02T03:04:05Z", "source": "a", "message": "x", "level": level} for level in ("info", None)
    ]

    read = read_few([Document(body, "0", "c") for body in bodies], now=NOW_NS, period="day")

    assert read is not None
    assert read["partition"].to_list() == ["2026.11.23"] * 2
    assert read_few([Document({"message": LINE}, "0", "c")], now=NOW_NS, period="day") is None


def test_mark_of_a_cut_stands_beside_no_other_of_its_name(read_document: ReadDocument) -> None:
    """The document's own attribute is kept: Elasticsearch refuses an object that repeats a name."""
    record = read_document({"message": "x" * (MAX_LINE_BYTES + 1), "cut_bytes": "mine"})

    assert record["attributes"] == '{"cut_bytes":"mine"}'


@pytest.mark.parametrize(
    ("document", "kept"),
    [
        ({"a.b": 1, "a": {"b": 2}}, {"a.b": "1", "a.b#2": "2"}),
        ({"a": {"b": 2}, "a.b": 1}, {"a.b": "1", "a.b#2": "2"}),
        ({"a": {"b": {"c": 1}, "b.c": 2}, "a.b.c": 3}, {"a.b.c": "3", "a.b.c#2": "2", "a.b.c#3": "1"}),
        ({"a.b": 1, "a": {"b": 1}}, {"a.b": "1"}),
        ({"a.b": 1, "a": {"b": 2}, "a.b#2": 3}, {"a.b": "1", "a.b#2": "3", "a.b#3": "2"}),
    ],
)
def test_two_ways_to_one_name_keep_both_values(document: dict[str, object], kept: dict[str, str]) -> None:
    """Names with dots and nested objects may say one name twice: no value is lost."""
    parsed = parse_documents([Document({"message": "m", **document}, "0" * 22, "c")], now=datetime.now(UTC))

    assert json.loads(parsed.records["attributes"][0]) == kept
