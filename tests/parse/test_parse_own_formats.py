"""Formats of a user's own: checked at the start, a sentence for each fault; then read by every door, before ours."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sentinel.errors import SettingsError
from sentinel.parse import Document, Reading, parse_documents, read_formats, use
from sentinel.parse.timestamps import now_ns

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = r"""
[[format]]
name = "till"
pattern = '(?P<source>\w+)~(?P<timestamp>[\d.]+ [\d:]+)~(?P<level>\w+)~(?P<till>\d+)~(?P<message>.*)'
examples = ["kasse~23.11.2026 10:00:00~ERROR~7~drawer stuck"]

[[format]]
name = "bell"
pattern = '^(?<level>WARN|INFO)! ring (?<timestamp>\d{10})'
examples = ['WARN! ring 1795428000', 'INFO! ring 1795428001']
"""
TILL = "kasse~23.11.2026 10:00:00~ERROR~7~drawer stuck"
AT = datetime(2026, 11, 23, 10, tzinfo=UTC)

Load = Callable[[str], None]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Load]:
    """Read with the formats of a TOML text; without any at the end."""

    def into_use(text: str) -> None:
        path = tmp_path / "formats.toml"
        path.write_text(text, encoding="utf-8")
        use(Reading(formats=read_formats([path], now_ns(NOW))))

    yield into_use
    use(Reading())


def shown(record: dict[str, Any]) -> tuple[object, ...]:
    return tuple(record[name] for name in ("timestamp", "level", "source", "message", "attributes"))


def test_line_is_read_by_its_groups(load: Load, read_line: Callable[..., dict[str, Any]]) -> None:
    """Time, level, source and message are the groups; another group is an attribute; no message: the whole line."""
    load(GOOD)

    till, bell, other = read_line(TILL), read_line("WARN! ring 1795428000"), read_line("WARN something else")

    assert shown(till) == (AT, "error", "kasse", "drawer stuck", '{"till":"7"}')
    assert shown(bell) == (AT, "warn", "app", "WARN! ring 1795428000", None)
    assert other["message"] == "WARN something else" or other["level"] == "warn"


@pytest.mark.parametrize(
    "frame",
    [
        "{}",
        "2026-11-23T09:00:00Z stdout F {}",
        '{{"log":"{}\\n","stream":"stdout","time":"2026-11-23T09:00:00Z"}}',
        "Nov 23 09:00:00 web1 app[7]: {}",
    ],
)
def test_frame_around_it_makes_no_difference(load: Load, read_line: Callable[..., dict[str, Any]], frame: str) -> None:
    """Behind a container's or syslog's frame the line is read as if it came alone; the frame's time stands."""
    load(GOOD)

    record = read_line(frame.format(TILL))

    assert (record["level"], record["message"]) == ("error", "drawer stuck")
    assert '"till":"7"' in record["attributes"]


def test_format_of_ones_own_wins_over_ours(load: Load, read_line: Callable[..., dict[str, Any]]) -> None:
    """Also where the line would have a frame of ours."""
    line = "Nov 23 09:00:00 web1 app[7]: hello"
    load(
        "[[format]]\nname = 'mine'\npattern = '(?P<timestamp>\\w+ \\d+ [\\d:]+) (?P<source>\\S+) (?P<message>.*)'\n"
        f"examples = ['{line}']"
    )

    assert shown(read_line(line))[2:4] == ("web1", "app[7]: hello")


def test_lines_behind_one_belong_to_it(load: Load, read_lines: Callable[..., Any]) -> None:
    """A line in a format of one's own begins an event; what has no head of its own goes on with it."""
    load(GOOD)

    parsed = read_lines(TILL, "java.lang.IllegalStateException: x", "\tat a.B.c(B.java:1)", TILL)

    assert parsed.records["message"].to_list() == [
        "drawer stuck\njava.lang.IllegalStateException: x\n\tat a.B.c(B.java:1)",
        "drawer stuck",
    ]


@pytest.mark.parametrize("count", [1, 40])
def test_message_of_a_document_is_read_alike(load: Load, count: int) -> None:
    """One or many; what the document says itself stands."""
    load(GOOD)
    documents = [Document({"message": TILL}, f"{n:022d}", "test") for n in range(count)]

    records = parse_documents(documents, now=NOW).records

    assert {shown(record) for record in records.iter_rows(named=True)} == {
        (AT, "error", "kasse", "drawer stuck", '{"till":"7"}')
    }


ONE = "[[format]]\nname = 'x'\npattern = '{}'\nexamples = ['{}']"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has to hold"),
        ("a = 1\n" + GOOD, "has to hold"),
        ("[[format]\n", "is no TOML"),
        ("[[format]]\nname = 'x'", "format 1: has to have name, pattern and examples"),
        (GOOD.replace("examples = ['WARN", "regex = ['WARN"), "format 2: has to have name, pattern and examples"),
        (ONE.format("(?P<message>.*)", "a").replace("'x'", "'X y'"), "name takes small letters"),
        (ONE.format("(?P<message>.*", "a"), r"\(x\): the pattern is none that is read here: .*unclosed group"),
        (ONE.format("(?P<message>a)(?!b)", "a"), "look-around"),
        (ONE.format(r"(?P<message>a)\\1", "aa").replace("\\\\", "\\"), "backreferences"),
        (ONE.format("a.*", "a"), "names none of the groups timestamp, level, source, message"),
        (ONE.format("(?P<message>a)(?P<row>b)?", "a"), "cannot be called row"),
        (ONE.format("(?P<message>a+)", "b"), "example 1 does not match the pattern: 'b'"),
        (ONE.format("(?P<message>a+)", "aab"), "example 1 does not match"),
        (ONE.format(r"(?P<timestamp>\d+)!", "99999999999999999999!"), "timestamp that cannot be read"),
        (ONE.format(r"(?P<level>\w+)!", "Aua!"), "level that is none: 'Aua'"),
        (ONE.format(r"(?P<message>(\w{1,200}){1,200}(\w{1,200}){1,200})", "a"), "none that is read here"),
        (GOOD + GOOD, "format 3: the name 'till' is there already"),
    ],
)
def test_fault_is_told_in_a_sentence(load: Load, text: str, told: str) -> None:
    """File, format and fault, and the setting to fix."""
    with pytest.raises(SettingsError, match=told) as caught:
        load(text)

    assert "formats.toml" in str(caught.value)
    assert "LOG_SENTINEL_FORMATS" in str(caught.value)


def test_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A missing file, a folder without one."""
    with pytest.raises(SettingsError, match="cannot be read"):
        read_formats([tmp_path / "none.toml"], 0)
    with pytest.raises(SettingsError, match=r"no \*\.toml"):
        read_formats([tmp_path], 0)


def test_pattern_that_would_hang_others_is_read_in_linear_time(load: Load, read_lines: Callable[..., Any]) -> None:
    """Nested repetitions, on which Python's engine needs years, are read at once, few lines or many."""
    load(ONE.format("(?P<message>(a+)+(a*)*)b", "aab"))
    evil = "a" * 8_000 + "c"

    assert read_lines(evil).records.height == 1
    assert read_lines(*[evil] * 40).records.height == 40
    assert parse_documents([Document({"message": "a" * 2_000}, "0" * 22, "test")], now=NOW).records.height == 1


def test_pattern_that_costs_too_much_a_line_is_refused(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the worst line takes longer than is allowed, the start fails and says how long it took."""
    monkeypatch.setattr("sentinel.parse.own_formats.MAX_LINE_S", -1.0)

    with pytest.raises(SettingsError, match="ms for a line of 8192 characters"):
        load(GOOD)
