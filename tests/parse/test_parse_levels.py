"""Words, letters, numbers and statuses on the scale of six levels."""

import polars as pl
import pytest

from sentinel.parse import levels
from sentinel.records import LEVELS


@pytest.mark.parametrize(
    ("word", "level"),
    [("INFO", "info"), ("Warning", "warn"), ("ERR", "error"), ("crit", "fatal"), ("CRITICAL", "fatal"),
     ("NOTICE", "info"), ("SEVERE", "error"), ("FATAL", "fatal"), ("emerg", "fatal"), ("V", "trace"), ("D", "debug"),
     ("I", "info"), ("W", "warn"), ("E", "error"), ("F", "fatal"), ("Information", "info"), ("FINE", "debug"),
     ("trace8", "trace"), ("3", "error"), ("30", "info"), (" warn ", "warn"), ("banana", None), ("", None),
     ("1e3", None), ("²", None)],
)  # fmt: skip
def test_word_has_its_level(word: str, level: str | None) -> None:
    """In any case; single letters as Android and glog write them; numbers as text too."""
    assert levels.from_word(word) == level


def test_all_levels_are_of_the_scale() -> None:
    """Nothing else than the six of the record."""
    assert set(levels.LEVEL_OF_WORD.values()) == set(LEVELS)


@pytest.mark.parametrize(
    ("number", "level"),
    [(0, "fatal"), (2, "fatal"), (3, "error"), (4, "warn"), (5, "info"), (7, "debug"), (10, "trace"), (20, "debug"),
     (50, "error"), (60, "fatal"), (8, None), (35, None), (-1, None), (3.5, None), (float("nan"), None),
     (10**400, None), (float("inf"), None)],
)  # fmt: skip
def test_number_has_its_level(number: float, level: str | None) -> None:
    """Syslog's severities and the tens of bunyan and pino; no other number means anything."""
    assert levels.from_number(number) == level


def test_severity_comes_from_pri() -> None:
    """PRI is facility times eight plus severity; above 191 it is none."""
    level, facility, severity = levels.severities(pl.Series(["34", "191", "192", "999"]))

    assert level.to_list() == ["fatal", "debug", None, None]
    assert facility.to_list() == ["auth", "local7", None, None]
    assert severity.to_list() == ["crit", "debug", None, None]
