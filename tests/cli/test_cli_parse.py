"""`sentinel parse`: what is recognised in each line, for people and for programs, and clear words for what is wrong."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ran

LINES = (
    "2026-11-23 10:00:00,120 ERROR [main] shop.Pay: declined, card 4012888888881881\n"
    "java.lang.IllegalStateException: no money\n"
    "2026-11-23 10:00:01,000 WARN [main] shop.Pay: slow\n"
    "2026-11-23 10:00:02 IST [4107] ERROR:  stopped\n"
    "\n"
    "lines of no \x1b[31mformat\x1b[0m \x07\n"
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text(LINES)
    return path


def test_people_see_what_was_recognised(log: Path, sentinel_command: Callable[..., Ran]) -> None:
    """Time, level, source, message, attributes, the format and its share of the file; no colour in a pipe."""
    ran = sentinel_command("parse", str(log))

    first, second = ran.out.splitlines()[:2]
    assert first == "2026-11-23 10:00:00.120 error shop.Pay: declined, card <CARD>  thread=main  [log4j 67%]"
    assert second == "    java.lang.IllegalStateException: no money"
    assert "timezone_unknown=IST" in ran.out
    assert "\x1b" not in ran.out
    assert "\x07" not in ran.out
    assert ran.err.strip() == "3 events: log4j 67%, postgres 33%"


@pytest.mark.parametrize(("setting", "is_coloured"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colours_are_for_terminals_that_want_them(
    log: Path,
    sentinel_command: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    is_coloured: bool,
) -> None:
    """An error is red where colours are forced; never with NO_COLOR."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(setting, "1")

    ran = sentinel_command("parse", str(log))

    assert ("\x1b[31merror" in ran.out) is is_coloured
    assert ("\x1b" in ran.out) is is_coloured


def test_programs_get_format_and_confidence(log: Path, sentinel_command: Callable[..., Ran]) -> None:
    """One JSON object a record, with all of it."""
    ran = sentinel_command("parse", "--json", str(log))

    records = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["format"], one["confidence"]) for one in records][:2] == [("log4j", 0.667)] * 2
    assert records[0]["source"] == "shop.Pay"
    assert records[0]["timestamp"] == "2026-11-23T10:00:00.120000Z"
    assert not ran.err


def test_programs_get_nanoseconds_where_a_line_has_them(tmp_path: Path, sentinel_command: Callable[..., Ran]) -> None:
    """Nine digits where the last three say something; six, as everywhere, where they do not."""
    log = tmp_path / "shop.log"
    log.write_text(
        "2026-11-23T10:00:00.123456789Z ERROR shop.Pay: slow\n2026-11-23T10:00:01.12Z ERROR shop.Pay: slow\n"
    )

    ran = sentinel_command("parse", "--json", str(log))

    times = [json.loads(line)["timestamp"] for line in ran.out.splitlines()]
    assert times == ["2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:01.120000Z"]


def test_standard_input_is_read(sentinel_command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """With `-` for a file."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"WARN shop.Pay: slow\n")))

    ran = sentinel_command("parse", "-", "--json")

    record = json.loads(ran.out)
    assert (record["level"], record["source"], record["message"]) == ("warn", "shop.Pay", "slow")


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("LOG_SENTINEL_MASK", "cards", "cards is no kind of secret"),
        ("LOG_SENTINEL_FORMATS", "/nowhere/formats.toml", "cannot be read"),
    ],
)
def test_setting_that_is_wrong_is_told(
    log: Path,
    sentinel_command: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    value: str,
    told: str,
) -> None:
    """Its name, the fault, exit code 2; before a line is read."""
    monkeypatch.setenv(setting, value)

    ran = sentinel_command("parse", str(log))

    assert (ran.code, ran.out) == (2, "")
    assert setting in ran.err
    assert told in ran.err


def test_format_of_ones_own_is_shown(
    tmp_path: Path, sentinel_command: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name stands behind what it reads."""
    formats, log = tmp_path / "formats.toml", tmp_path / "bell.log"
    formats.write_text(
        "[[format]]\nname = 'bell'\npattern = '(?P<level>\\w+)! (?P<message>.*)'\nexamples = ['WARN! ring']\n"
    )
    log.write_text("WARN! ring\n")
    monkeypatch.setenv("LOG_SENTINEL_FORMATS", str(formats))

    ran = sentinel_command("parse", str(log))

    assert ran.out.endswith("warn  bell: ring  [bell 100%]\n")


def test_folder_or_nothing_is_told(tmp_path: Path, sentinel_command: Callable[..., Ran]) -> None:
    """A folder, or a file that is not there: a sentence and 2."""
    for path in (tmp_path, tmp_path / "none.log"):
        ran = sentinel_command("parse", str(path))

        assert ran.code == 2
        assert str(path) in ran.err
