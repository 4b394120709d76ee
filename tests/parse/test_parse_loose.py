"""JSON lines that are none by the letter, or were cut: the fields that stand in them are read all the same."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel.parse.loose import read_cut, read_loosely

ReadLine = Callable[..., dict[str, Any]]
HEAD = '{"time":"2026-07-01T15:04:05Z","level":"ERROR","message":"card declined'
TAIL = '","order":{"id":17,"items":["a","b"],"paid":false,"note":"x\\"y"}}'
TIME = datetime(2026, 7, 1, 15, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"time":"2026-07-01T15:04:05Z","level":"ERROR","message":"a","v":NaN}', "a"),
        ('{"time":"2026-07-01T15:04:05Z","level":"ERROR","message":"half \\ud83d"}', "half \\ud83d"),
        ('{"time":"2026-07-01T15:04:05Z","level":"ERROR","message":"a\tb"}', "a\tb"),
    ],
)
def test_json_that_writers_leave_is_read(line: str, message: str, read_line: ReadLine) -> None:
    """Python writes NaN, texts are cut within a surrogate pair, tabs are not escaped."""
    record = read_line(line)

    assert (record["timestamp"], record["level"], record["message"]) == (TIME, "error", message)


@pytest.mark.parametrize("kept", range(len(TAIL)))
def test_cut_line_keeps_time_level_and_message(kept: int, read_line: ReadLine) -> None:
    """Wherever behind its message it was cut."""
    record = read_line(HEAD + TAIL[:kept])

    assert (record["timestamp"], record["level"], record["message"]) == (TIME, "error", "card declined")


def test_line_cut_before_its_message_is_its_own(read_line: ReadLine) -> None:
    """What stands before the cut is read, and nothing is taken out of the text."""
    line = '{"time":"2026-07-01T15:04:05Z","level":"ERROR","order":{"id":'
    record = read_line(line)

    assert (record["timestamp"], record["level"], record["message"]) == (TIME, "error", line)


def test_broken_document_keeps_its_text(read_line: ReadLine) -> None:
    """A time within it is read and stays where it stands."""
    line = '{"time":"2026-07-01T15:04:05Z",,"message":"x"}'
    record = read_line(line)

    assert (record["timestamp"], record["message"]) == (TIME, line)


@given(st.text(alphabet='{}[]",:\\ a1tN', max_size=60))
@example('{"a":' * 200)
@example('{"' + "\\" * 61)
def test_any_text_is_an_object_or_none(text: str) -> None:
    """Neither way raises, and a whole object is read as it is."""
    assert read_cut(text) is None or isinstance(read_cut(text), dict)
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        return
    assert read_loosely(text) == value
