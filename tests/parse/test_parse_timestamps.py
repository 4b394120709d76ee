"""Written times become nanoseconds in UTC; what is missing is filled in by `now`, what is wrong falls back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.parse import stamps, timestamps

ReadLine = Callable[..., dict[str, Any]]
SECOND = 1_000_000_000


def _read(text: str, now: datetime = datetime(2026, 11, 23, 12, tzinfo=UTC)) -> int | None:
    """Through the way of batches, never the quick way of a column that is ISO 8601 throughout."""
    many = pl.Series([text, "Jun 09, 2023 10:00:00 AM"])
    return stamps.read_text(many, timestamps.now_ns(now))[0]


@pytest.mark.parametrize(
    ("now", "written", "expected"),
    [
        ("2026-01-01T00:05:00", "Dec 31 23:59:59", "2025-12-31T23:59:59"),
        ("2026-12-31T23:59:59", "Jan  1 00:00:00", "2027-01-01T00:00:00"),
        ("2026-12-31T23:59:59", "Jan  2 00:00:00", "2026-01-02T00:00:00"),
        ("2026-06-15T12:00:00", "Jun 16 11:59:59", "2026-06-16T11:59:59"),
        ("2026-06-15T12:00:00", "Jun 16 12:00:01", "2025-06-16T12:00:01"),
        ("2026-06-15T12:00:00", "Feb 29 10:00:00", "2024-02-29T10:00:00"),
        ("2028-02-28T12:00:00", "Feb 29 10:00:00", "2028-02-29T10:00:00"),
        ("2028-02-28T09:00:00", "Feb 29 10:00:00", "2024-02-29T10:00:00"),
        ("2103-06-15T12:00:00", "Feb 29 10:00:00", "2096-02-29T10:00:00"),
    ],
)
def test_missing_year_is_the_latest_not_in_the_future(
    now: str, written: str, expected: str, read_line: ReadLine
) -> None:
    """Across New Year and 29 February, with one day of tolerance for clocks and zones."""
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)

    record = read_line(f"{written} h su: x", now=moment)

    assert record["timestamp"] == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(("now", "day"), [("2026-06-15T12:00:00", 15), ("2026-06-15T10:00:00", 14)])
def test_missing_date_is_the_latest_such_time(now: str, day: int, read_line: ReadLine) -> None:
    """A time of day alone is today's, or yesterday's when today's has not come."""
    record = read_line("11:30:00.250 hello", now=datetime.fromisoformat(now).replace(tzinfo=UTC))

    assert record["timestamp"] == datetime(2026, 6, day, 11, 30, 0, 250_000, UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05"),
        ("2024-01-02 03:04:05,123", "2024-01-02T03:04:05.123"),
        ("2024-01-02T03:04:05.123456+02:00", "2024-01-02T01:04:05.123456"),
        ("2024-01-02T03:04:05-0730", "2024-01-02T10:34:05"),
        ("2024-01-02 03:04:05+01", "2024-01-02T02:04:05"),
        ("2024/01/02 03:04:05 UTC", "2024-01-02T03:04:05"),
        ("2024-01-02 03:04:05 (UTC)", "2024-01-02T03:04:05"),
        ("02/Jan/2024:05:04:05 (MEST)", "2024-01-02T03:04:05"),
        ("2024-01-02 03:04:05 PST", "2024-01-02T11:04:05"),
        ("2024-01-02 03:04", "2024-01-02T03:04:00"),
        ("2024-01-02", "2024-01-02T00:00:00"),
        ("02/Jan/2024:03:04:05 +0100", "2024-01-02T02:04:05"),
        ("Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05"),
        ("Tue Jan  2 03:04:05 2024", "2024-01-02T03:04:05"),
        ("Jan 02, 2024 12:04:05 PM", "2024-01-02T12:04:05"),
        ("Jan  2 03:04:05", "2026-01-02T03:04:05"),
        ("24/01/02 03:04:05", "2024-01-02T03:04:05"),
        ("1704164645", "2024-01-02T03:04:05"),
        ("1704164645.25", "2024-01-02T03:04:05.25"),
        ("1704164645250", "2024-01-02T03:04:05.25"),
        ("1704164645250000", "2024-01-02T03:04:05.25"),
        ("1704164645250000000", "2024-01-02T03:04:05.25"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
    ],
)
def test_time_is_read_in_many_ways(text: str, expected: str) -> None:
    """ISO 8601, RFC 3339, RFC 822, C, access logs, and numbers in s, ms, us or ns by their size."""
    moment = datetime.fromisoformat(f"{expected.partition('.')[0]}.{expected.partition('.')[2]:0<6}").replace(
        tzinfo=UTC
    )

    assert _read(text) == int(moment.timestamp() * 1_000_000) * 1000


@pytest.mark.parametrize(
    "text",
    ["yesterday", "2024-13-01 00:00:00", "2023-02-29 00:00:00", "2024-01-02 24:00:00", "2024-01-02 03:60:00",
     "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "2024-01-02T03:04:05+25:00", "99999999999999999999", "-5", "NaN",
     "Feb 30 10:00:00", "1970-01-01T00:00:00+01:00", "٢٠٢٤-01-02 03:04:05"],
)  # fmt: skip
def test_time_is_null_when_it_cannot_be(text: str) -> None:
    """No such date, no such hour, or outside of what nanoseconds and Elasticsearch can hold (1970 to 2262)."""
    assert _read(text) is None


def test_nanoseconds_are_exact() -> None:
    """Nine digits of a fraction survive, more are cut."""
    assert _read("2024-01-02T03:04:05.1234567891Z") == 1704164645 * SECOND + 123456789


def test_unreadable_time_falls_back_to_received_and_is_marked(read_line: ReadLine, now: datetime) -> None:
    """The record is kept, stamped with its arrival, and the written text stays with it."""
    record = read_line("2023-13-01 12:00:00 INFO x")

    assert record["timestamp"] == now
    assert record["message"] == "x"
    assert json.loads(record["attributes"]) == {"timestamp_unreadable": "2023-13-01 12:00:00"}


@settings(max_examples=200, deadline=None)
@given(
    st.datetimes(datetime(1960, 1, 1), datetime(2270, 1, 1)),
    st.sampled_from(["T", " "]),
    st.sampled_from(["", "Z", "+02:00", "-1130", "+1900"]),
    st.sampled_from(["", ".5", ",123456789", ".12345678912"]),
)
def test_few_times_are_read_as_many_are(moment: datetime, separator: str, zone: str, fraction: str) -> None:
    """The quick way for a single document agrees with the way of batches, also about what it cannot read."""
    text = moment.strftime(f"%Y-%m-%d{separator}%H:%M:%S") + fraction + zone

    assert stamps.read_text(pl.Series([text]), 0)[0] == _read(text)


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2200, 1, 1)), st.integers(-1, 360))
def test_year_is_found_again_when_it_was_left_out(moment: datetime, days_later: int) -> None:
    """Whatever the date: written without its year and read within the year that follows, it is the same again."""
    now = (moment + timedelta(days=max(days_later, 0)) - timedelta(hours=23 * (days_later < 0))).replace(tzinfo=UTC)
    text = moment.strftime("%b %d %H:%M:%S")

    assert _read(text, now) == int(moment.replace(microsecond=0, tzinfo=UTC).timestamp()) * SECOND
