"""Zones of the settings: of times that name none, of some files alone, and of names that mean several."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from sentinel.errors import SettingsError
from sentinel.parse import Document, Reading, parse_documents, parse_lines, use, zones_of
from tests.parse.conftest import NOW

SetZones = Callable[..., None]


@pytest.fixture
def zones() -> Iterator[SetZones]:
    """Read with these settings; in UTC again at the end."""
    yield lambda zone=None, names=None: use(Reading(zones=zones_of(zone, names)))
    use(Reading())


@pytest.mark.parametrize(
    ("line", "at"),
    [
        ("2026-07-01 10:00:00 INFO [main] a.B: summer", "2026-07-01T08:00:00"),
        ("2026-01-01 10:00:00 INFO [main] a.B: winter", "2026-01-01T09:00:00"),
        ("2026-03-29 02:30:00 INFO [main] a.B: in no clock of that night", "2026-03-29T01:30:00"),
        ("Jul  1 10:00:00 web1 app[7]: no year", "2026-07-01T08:00:00"),
        ("10:00:00.000 INFO a.B - a clock alone", "2026-11-23T09:00:00"),
        ("2026-07-01T10:00:00Z INFO [main] a.B: says UTC", "2026-07-01T10:00:00"),
        ("2026-07-01 10:00:00+0300 INFO [main] a.B: says another", "2026-07-01T07:00:00"),
        ("1782900000.5 an epoch", "2026-07-01T10:00:00.5"),
        ('{"time": "2026-07-01 10:00:00", "msg": "JSON"}', "2026-07-01T08:00:00"),
        ("2026-07-01 10:00:00 10.0.1.5 GET /a q=1 443 - 10.0.0.7 curl/8 - 500 0 64 15", "2026-07-01T10:00:00"),
    ],
)
def test_time_without_a_zone_is_of_that_of_the_settings(
    zones: SetZones, read_line: Callable[..., dict[str, Any]], line: str, at: str
) -> None:
    """Summer and winter, without a year, without a date; what names its zone, counts from 1970, or is UTC by its
    standard (IIS), stays."""
    zones("Europe/Berlin")

    assert read_line(line)["timestamp"] == datetime.fromisoformat(at).replace(tzinfo=UTC)


@pytest.mark.parametrize("count", [1, 600])
def test_documents_are_read_alike_few_or_many(zones: SetZones, count: int) -> None:
    """The short way for few documents knows the zone, too."""
    zones("-03")
    documents = [
        Document({"timestamp": "2026-07-01T10:00:00", "level": "info", "source": "a", "message": "m"}, f"{n:022d}", "x")
        for n in range(count)
    ]

    found = parse_documents(documents, now=NOW).records["timestamp"].unique().to_list()

    assert found == [datetime(2026, 7, 1, 13, tzinfo=UTC)]


def test_files_have_zones_of_their_own(zones: SetZones) -> None:
    """By a glob of path or name; all others have the one for all; records stay in their order."""
    zones("+01:00, legacy*.log = America/Sao_Paulo, /srv/till/* = Asia/Tokyo")
    origins = ["/var/log/app.log", "/var/log/legacy-1.log", "/srv/till/a.log"] * 2
    frame = pl.DataFrame(
        {
            "line": [b"2026-07-01 10:00:00 INFO [main] a.B: hello"] * 6,
            "origin": origins,
            "generation": [origin[-10:] for origin in origins],
            "offset": [0, 0, 0, 50, 50, 50],
        }
    )

    parsed = parse_lines(frame, now=NOW)

    assert parsed.records["timestamp"].dt.hour().to_list() == [9, 13, 1] * 2
    assert parsed.records["origin"].to_list() == origins
    assert parsed.formats is not None
    assert len(parsed.formats) == 6


def test_name_of_several_zones_means_what_is_said(zones: SetZones, read_line: Callable[..., dict[str, Any]]) -> None:
    """IST is marked as unknown until a setting decides; CST, which has a usual meaning, can be given another."""
    line = "2026-07-01 10:00:00 IST [4107] ERROR:  stopped"
    before = read_line(line)
    zones(None, "IST=Asia/Kolkata, CST=+08:00")
    after, other = read_line(line), read_line(line.replace("IST", "CST"))

    assert json.loads(before["attributes"])["timezone_unknown"] == "IST"
    assert "timezone_unknown" not in after["attributes"]
    assert (after["timestamp"].hour, after["timestamp"].minute) == (4, 30)
    assert other["timestamp"].hour == 2


def test_region_that_there_is_none_of_is_marked(read_line: Callable[..., dict[str, Any]]) -> None:
    """Its time is taken as UTC, and says so."""
    record = read_line("2026-07-01 10:00:00 Europe/Atlantis [4107] ERROR:  stopped")

    assert json.loads(record["attributes"])["timezone_unknown"] == "Europe/Atlantis"


@pytest.mark.parametrize("count", [1, 600])
def test_time_ahead_of_its_arrival_is_marked(read_line: Callable[..., dict[str, Any]], count: int) -> None:
    """By how many seconds; five minutes are borne. In lines and in documents, few or many."""
    ahead, borne = "2026-11-23T15:00:00Z", "2026-11-23T12:04:00Z"
    bodies = [{"timestamp": ahead, "level": "info", "source": "a", "message": "m"}] * count
    documents = [Document(body, f"{n:022d}", "x") for n, body in enumerate(bodies)]

    marks = parse_documents(documents, now=NOW).records["attributes"].unique().to_list()

    assert marks == ['{"clock_skew":"+10800s"}']
    assert json.loads(read_line(f"{ahead} INFO [main] a.B: x")["attributes"])["clock_skew"] == "+10800s"
    assert "clock_skew" not in str(read_line(f"{borne} INFO [main] a.B: x")["attributes"])


@pytest.mark.parametrize(
    ("zone", "names", "told"),
    [
        ("Mars/Olympus", None, "LOG_SENTINEL_TIMEZONE: 'Mars/Olympus' is no zone"),
        ("IST", None, "'IST' is no zone that is known"),
        ("+99:00", None, "is no zone that is known"),
        ("UTC,CET", None, "UTC and CET are both for all files"),
        ("a.log=", None, "'' is no zone"),
        (None, "IST", "LOG_SENTINEL_TIMEZONE_NAMES: 'IST' names no zone"),
        (None, "XYZ=UTC", "'XYZ=UTC' names no zone that is read"),
        (None, "IST=Nowhere", "'Nowhere' is no zone"),
    ],
)
def test_setting_that_is_wrong_is_told(zone: str | None, names: str | None, told: str) -> None:
    """With its name and what it holds."""
    with pytest.raises(SettingsError) as caught:
        zones_of(zone, names)

    assert told in str(caught.value)
