"""Golden lines: what each format's lines say, written down by hand, read right to the last field."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchmarks.formats import GOLDEN, wrong_fields

EVENTS = [
    pytest.param(event, id=f"{path.stem}-{one['title']}-{number}")
    for path in sorted(Path(GOLDEN).glob("*.toml"))
    for one in tomllib.loads(path.read_text(encoding="utf-8"))["format"]
    for number, event in enumerate(one["event"], 1)
]


@pytest.mark.parametrize("event", EVENTS)
def test_golden_event_is_read_to_the_last_field(event: dict[str, Any]) -> None:
    """One record: its format, time (that of arrival where the line has none), level, source, host, and message."""
    assert wrong_fields(event) == []
