"""Objects that programs print in their own way: fields where they can be read, text where they cannot."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentinel.parse.literal import read_literal
from sentinel.parse.markup import document_of_markup

ReadLine = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{ level: 'info', message: 'open' }", {"level": "info", "message": "open"}),
        ("{'msg': \"it's\", 'name': 'x', 'level': True}", {"msg": "it's", "name": "x", "level": True}),
        ("{level:'x',message:`a`,[Symbol(level)]:'x',at:2026-03-04T10:15:20.250Z,}",
         {"level": "x", "message": "a", "[Symbol(level)]": "x", "at": "2026-03-04T10:15:20.250Z"}),
        ("{level:'x',message:'a\\'b\\n',c:{d:[1,-2,'e',[Object]]}}",
         {"level": "x", "message": "a'b\n", "c": {"d": [1, "-2", "e", ["Object"]]}}),
    ],
)  # fmt: skip
def test_object_is_read_as_it_is_printed(text: str, said: dict[str, Any]) -> None:
    """Names with quotes or without, texts in any quotes, numbers, constants, objects in objects."""
    assert read_literal(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "{general} started {x}",
        "{a: 1}",
        "{message: 'a'}",
        "{level: 'x', message: 'a'",
        "{}",
        "{level:'x',message:'a'} b",
    ],
)
def test_what_is_no_such_object_is_text(text: str) -> None:
    """Braces alone are no object, nor is one that says neither two of message, level and time."""
    assert read_literal(text) is None


@settings(deadline=None)
@given(st.text(alphabet="{}[]'\":,\\ a1tN\n`", max_size=60))
@example("{a:" * 300)
@example("{level:" + "[" * 300)
def test_any_text_is_an_object_or_none(text: str) -> None:
    """Nothing raises, however deep."""
    found = read_literal(text)

    assert found is None or isinstance(found, dict)


def test_fields_of_a_printed_object_are_fields(read_line: ReadLine) -> None:
    """Time, level, logger and message are the record's, the rest are attributes."""
    record = read_line(
        "{'time': '2026-03-04T10:15:20Z', 'levelname': 'ERROR', 'name': 'shop', 'msg': 'no', 'order': 7}"
    )

    assert (record["timestamp"], record["level"]) == (datetime(2026, 3, 4, 10, 15, 20, tzinfo=UTC), "error")
    assert (record["source"], record["message"]) == ("shop", "no")
    assert json.loads(record["attributes"]) == {"order": "7"}


def test_event_as_xml_is_its_attributes_and_elements() -> None:
    """CDATA is text, a trace goes behind the message, and an attribute may stand in either quotes."""
    text = "<log4j:event logger=\"a&amp;b\" level='WARN'>\n<log4j:message><![CDATA[x <1> & y]]></log4j:message>\n"
    text += "<log4j:throwable>E\n\tat f</log4j:throwable>\n</log4j:event>"

    assert document_of_markup(text) == {"logger": "a&b", "level": "WARN", "message": "x <1> & y\nE\n\tat f"}


@settings(deadline=None)
@given(st.text(alphabet="<>/![]CDAT=\"' arecod&;", max_size=80))
@example("<record>" + "<a><![CDATA[" * 20_000 + "</record>")
@example("<record " + "a" * 200_000 + "></record>")
def test_any_markup_is_a_document_or_none(text: str) -> None:
    """Nothing raises, and what is left open costs no more than what is closed."""
    found = document_of_markup(text)

    assert found is None or "message" in found or "Message" in found
