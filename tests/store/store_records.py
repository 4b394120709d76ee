"""Records for the store's tests: frames of both streams with everything that is hard to keep."""

from datetime import UTC, datetime, timedelta

import polars as pl

from sentinel.records import ANOMALY_COLUMNS, RECORD_SCHEMA

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
STRANGE = (
    'quote " backslash \\ slash /',
    "tab \t newline \n return \r bell \x07 escape \x1b nul \x00",
    "separators \u2028 \u2029 \ufeff \u0085",
    "emoji 😀 family 👨‍👩‍👧 combining e\u0301",
    "</script><!-- {{ }} ${jndi:ldap://x} %s",
    '{"create":{"_id":"injected"}}\n{"message":"x"}',
    "",
    "x" * 40_000,
)


def records(count: int, *, first: int = 1, spool: str = "0123456789abcdef", partition: str = "2026.11") -> pl.DataFrame:
    """`count` records, one a millisecond, with every column filled but where a null is natural."""
    numbers = range(first, first + count)
    columns = {
        "event_id": [f"{spool[:10]}{number:012d}" for number in numbers],
        "spool": [spool] * count,
        "sequence": list(numbers),
        "partition": [partition] * count,
        "timestamp": [START + timedelta(milliseconds=number) for number in numbers],
        "received": [START + timedelta(hours=1, milliseconds=number) for number in numbers],
        "level": [("info", "warn", None)[number % 3] for number in numbers],
        "source": ["sshd"] * count,
        "host": ["web-1"] * count,
        "message": [f"Failed password for root from 10.0.0.{number % 250}" for number in numbers],
        "attributes": [f'{{"pid":"{number}","user":"röot"}}' if number % 2 else None for number in numbers],
        "origin": ["127.0.0.1" if number % 7 == 0 else "/var/log/auth.log" for number in numbers],
        "generation": [None if number % 7 == 0 else "abcdefghij" for number in numbers],
        "offset": [None if number % 7 == 0 else number * 100 for number in numbers],
        "raw": [f"raw {number}" if number % 5 == 0 else None for number in numbers],
    }
    return pl.DataFrame(columns, schema_overrides={"timestamp": pl.Datetime("us", "UTC")}).cast(RECORD_SCHEMA)


def anomalies(count: int, *, first: int = 1) -> pl.DataFrame:
    """`count` anomalies with their records' columns."""
    base = records(count, first=first)
    columns = {
        "event": base["event_id"],
        "incident": ["10.0.0.7"] * count,
        "anomaly_score": [0.5 + number / 1e4 for number in range(count)],
        "nats": [7.5 + number for number in range(count)],
        "threshold": [0.5] * count,
        "is_anomaly": [True] * count,
        "kind": ["brute_force"] * count,
        "reasons": [[f"{number} failures in 60 s", 'from "10.0.0.7"'] for number in range(count)],
        "template": ["Failed password for <*> from <ip>"] * count,
        "model_version": ["m1"] * count,
        "confidence": ["normal"] * count,
    }
    added = pl.DataFrame(columns).cast(ANOMALY_COLUMNS)  # type: ignore[arg-type]
    both = pl.concat([base, added.select(ANOMALY_COLUMNS.keys())], how="horizontal")
    return both.with_columns(event_id=pl.col("event") + "-m1")


def strange_records() -> pl.DataFrame:
    """Texts that break quoting, in each column that holds text; times at the edges of what fits."""
    base = records(len(STRANGE))
    text = pl.Series("text", STRANGE)
    wrapped = pl.Series("attributes", ['{"k\\"ey":"v\\u0001\\n"}', '{"a\\u0000b":"c"}', '{"":"empty"}', None, "{}"] * 2)
    times = [-1, 0, 1, 999_999_999, 1_795_471_237_977_660_123, 4_102_444_800_000_000_000, -(10**18), 9 * 10**18]
    return base.with_columns(
        message=text,
        source=text,
        host=text,
        origin=text,
        raw=text,
        attributes=wrapped.head(base.height),
        timestamp=pl.Series(times, dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")),
    )
