"""Documents taken apart the quick way, by the places of their names, and the careful way: both say the same."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentinel.parse import fields, names
from sentinel.parse.fields import BadDocumentError, fields_of_document

NAMES = [
    "timestamp",
    "time",
    "ts",
    "@timestamp",
    "date",
    "timezone",
    "timestampNanos",
    "level",
    "severity",
    "status",
    "PRIORITY",
    "message",
    "msg",
    "log",
    "source",
    "logger",
    "target",
    "service.name",
    "host",
    "hostname",
    "user",
    "request",
    "code",
    "when",
    "short_message",
]
VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "-", "2026-01-02T03:04:05Z ", "10:00:00", "2026-01-02", "info", "WARN", "500", "/x", "web-1"]
    ),
    st.sampled_from(
        [None, True, 0, 3, 30, 1.5, 1_767_322_800, -1, [], ["a", "b"], {}, {"name": "bob"}, {"level": "info"}]
    ),
    st.text(max_size=8),
)


def careful(body: dict[str, Any]) -> object:
    return fields._weighed(body, strict=True)


def said(read: Any, body: dict[str, Any]) -> object:
    """What a way says: fields, or why it refuses."""
    try:
        return read(body)
    except BadDocumentError as exc:
        return str(exc)


@settings(max_examples=1000, deadline=None)
@given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=7))
@example({"message": "x", "level": "info", "status": "500", "request": "GET /"})
@example({"message": "x", "code": "500", "request": None})
def test_quick_way_says_what_the_careful_one_says(body: dict[str, Any]) -> None:
    """Also in the order of attributes, and for what both refuse."""
    assert said(fields_of_document, body) == said(careful, body)


def test_quick_way_is_taken_where_names_are_clear() -> None:
    """It would be no use otherwise."""
    body = {"ts": "2026-01-02T03:04:05Z", "level": "info", "logger": "web", "hostname": "h", "msg": "x", "user": "bob"}
    shape = names.shape_of(tuple(body))

    assert shape is not None
    assert fields._read_plainly(body, shape) == careful(body)


@pytest.mark.parametrize("field", ["level", "logger", "hostname"])
def test_quick_way_is_taken_where_a_field_is_null(field: str) -> None:
    """Senders that always write all fields write null for what they do not know."""
    body = {"ts": "2026-01-02T03:04:05Z", "level": "info", "logger": "web", "hostname": "h", "msg": "x", field: None}
    shape = names.shape_of(tuple(body))

    assert shape is not None
    assert fields._read_plainly(body, shape) == careful(body)


@pytest.mark.parametrize("size", [10, 5_000])
def test_what_is_remembered_of_names_is_bounded(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In number and in length, whatever clients send."""
    remembered: dict[tuple[str, ...], names.Shape | None] = {}
    monkeypatch.setattr(names, "_SHAPES", remembered)
    for number in range(3_000):
        fields_of_document({"message": "x", f"{number:0{size}}": "y"})

    assert len(remembered) <= names._MAX_SHAPES
    assert sum(len(name) for shape in remembered for name in shape) <= names._MAX_SHAPES * names._MAX_REMEMBERED
