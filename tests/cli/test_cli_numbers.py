"""Numbers of a command that make no sense are refused before anything is read or written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("train", "--max-records", "-5"), "-5 is not from 2 to 5000000"),
        (("train", "--max-records", "0"), "0 is not from 2 to 5000000"),
        (("train", "--max-records", "1e3"), "invalid whole number value: '1e3'"),
        (("train", "--max-records", "99999999999"), "is not from 2 to 5000000"),
        (("train", "--seed", "-1"), "-1 is not from 0 to 4294967295"),
        (("dead-letters", "list", "--limit", "0"), "0 is not 1 or more"),
        (("dead-letters", "list", "--after", "-1"), "-1 is not 0 or more"),
        (("spool", "export", "--after", "-1"), "-1 is not 0 or more"),
        (("simulate", "--out", "made.log", "--hours", "nan"), "nan is not from 0 to 8784"),
        (("simulate", "--out", "made.log", "--hours", "1e9"), "1e9 is not from 0 to 8784"),
        (("simulate", "--out", "made.log", "--each", "-1"), "-1 is not from 0 to 1000"),
        (("simulate", "--out", "made.log", "--hours", "2", "--attack-after-hours", "2"), "less than --hours"),
        (("evaluate", "--seeds", "0"), "0 is not from 1 to 1000"),
    ],
)
def test_number_out_of_bounds_is_named(
    sentinel_command: Command, home: Path, arguments: tuple[str, ...], named: str
) -> None:
    """Exit code 2 with the bound; the home is not even made."""
    ran = sentinel_command(*arguments)

    assert (ran.code, named in ran.err) == (2, True), ran.err
    assert not home.exists()
    assert not Path("made.log").exists()
