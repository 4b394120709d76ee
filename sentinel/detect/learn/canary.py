"""A small, frozen set of attacks in neutral words that every model must still catch, laid after its training lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from sentinel.records import RECORD_SCHEMA

__all__ = ["ALWAYS", "Canary", "canaries"]

ALWAYS = "brute_force"
"""The kind that a fixed prior catches whatever was trained on: a model that misses it is broken."""

AFTER_S = 30.0  # from the newest training line to the first line of a canary
ADDRESS, ADDRESSES = "192.0.2.77", "192.0.2.{n}"  # TEST-NET-1, RFC 5737
COMMON_LINES = 20

Line = tuple[float, str | None, str]
"""Seconds after the first, level, message."""


@dataclass(frozen=True, slots=True)
class Canary:
    """One attack: a name, the kind of attack, and its records (RECORD_SCHEMA) in time order."""

    name: str
    kind: str
    records: pl.DataFrame


def _guesses(text: str, *, count: int, gap_s: float) -> Iterator[Line]:
    users = ("root", "admin", "test", "oracle", "guest")
    for n in range(count):
        yield n * gap_s, "warn", text.format(user=users[n % 5], ip=ADDRESS, port=40_000 + 37 * n)


def _stuffing() -> Iterator[Line]:
    for n in range(80):
        ip = ADDRESSES.format(n=10 + n)
        yield n * 7.0, "warn", f"login failed for account u{n * 31 % 97}.{n} from {ip}: wrong password"


def _burst(level: str | None, texts: tuple[str, ...], *, count: int, gap_s: float) -> Iterator[Line]:
    for n in range(count):
        yield n * gap_s, level, texts[n % len(texts)].format(n=1000 + 7 * n)


def _ports() -> Iterator[Line]:
    for n in range(60):
        yield n * 0.15, "warn", f"denied connection from {ADDRESS} port {41_000 + n} to 10.0.0.5 port {20 + 131 * n}"


def _probes() -> Iterator[Line]:
    paths = ("/.env", "/admin.bak", "/etc/passwd", "/shell?cmd=id", "/search?q=1' UNION SELECT secret--", "/dump.sql")
    for n in range(60):
        yield n * 0.5, "warn", f'{ADDRESS} "GET {paths[n % 6]}?v={n} HTTP/1.1" 404 {150 + n} "-" "probe/1.0"'


def _made() -> Iterator[tuple[str, str, list[Line]]]:
    yield (
        "guessing, quick",
        ALWAYS,
        list(_guesses("authentication failure for user {user} from {ip} port {port}", count=40, gap_s=0.7)),
    )
    yield (
        "guessing, quick, other words",
        ALWAYS,
        list(_guesses("Failed password for {user} from {ip} port {port}", count=40, gap_s=0.7)),
    )
    yield "guessing, slow", ALWAYS, list(_guesses("login incorrect: user={user} remote={ip}", count=40, gap_s=33.0))
    yield "stuffing", "credential_stuffing", list(_stuffing())
    refused = ("request {n} failed: connection refused by backend", "retry {n} gave up: backend unavailable")
    yield "errors in a burst", "error_burst", list(_burst("error", refused, count=80, gap_s=1.1))
    full = ("cannot write block {n}: no space left on device",)
    yield "disk full", "disk_full", list(_burst("error", full, count=10, gap_s=14.0))
    yield "an error never seen", "new_error", [(0.0, "error", "unhandled exception in module kx7: assertion failed")]
    yield "a crash without a level", "new_error", [(0.0, None, "fatal: process aborted, memory corrupted near 0x7f21")]
    yield "ports", "scan", list(_ports())
    yield "web probes", "scan", list(_probes())
    taken: list[Line] = [
        (0.0, "info", "user nobody : command run as root: /bin/sh -p"),
        (4.0, "info", "nobody added to group sudo"),
    ]
    yield "privilege", "privilege", taken


def canaries(sample: pl.DataFrame) -> list[Canary]:
    """All canaries, made to follow `sample` (training records, RECORD_SCHEMA, not empty): same source, just after it.

    They speak as the sample's most common source, so that not the source but the behaviour is strange. The last one
    repeats a line of the sample itself; it is left out where no line is common.
    """
    start = sample["timestamp"].max()
    assert isinstance(start, datetime)
    source = sample["source"].drop_nulls().mode().sort()
    name = str(source[0]) if len(source) else "app"
    made = [Canary(title, kind, _records(lines, start, name)) for title, kind, lines in _made()]
    flood = _flood(sample)
    if flood is not None:
        made.append(Canary("flood of an ordinary line", "rate_spike", _records(flood[1], start, flood[0])))
    return made


def _flood(sample: pl.DataFrame) -> tuple[str, list[Line]] | None:
    """An ordinary, not too frequent line of the sample, ten times a second for half a minute."""
    shape = pl.col("message").str.replace_all(r"\d+", "0")
    calm = sample.filter(pl.col("level").is_null() | pl.col("level").is_in(["trace", "debug", "info"]))
    groups = calm.group_by("source", shape.alias("shape")).agg(pl.len().alias("n"), pl.col("level", "message").first())
    common = groups.filter(pl.col("n") >= COMMON_LINES).sort("n", "source", "shape")
    if common.is_empty():
        return None
    row = common.row(0, named=True)
    return str(row["source"] or "app"), [(n * 0.1, row["level"], row["message"]) for n in range(300)]


def _records(lines: list[Line], start: datetime, source: str) -> pl.DataFrame:
    at = [start + timedelta(seconds=AFTER_S + after_s) for after_s, _, _ in lines]
    columns = {
        "event_id": [f"canary-{i:06d}" for i in range(len(lines))],
        "timestamp": at,
        "received": at,
        "level": [level for _, level, _ in lines],
        "source": [source] * len(lines),
        "host": ["canary"] * len(lines),
        "message": [message for _, _, message in lines],
        "origin": ["canary"] * len(lines),
    }
    missing = {name: [None] * len(lines) for name in RECORD_SCHEMA if name not in columns}
    return pl.DataFrame({**columns, **missing}, schema_overrides=RECORD_SCHEMA).select(*RECORD_SCHEMA)
