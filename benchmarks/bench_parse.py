"""Parsing: lines a CPU second of mixed formats in blocks and shuffled, of traces, and what masking of secrets adds."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime

import polars as pl

from benchmarks.lines import public_logs, syslog_bytes
from benchmarks.measure import Figure, alone, pair, timed
from sentinel.parse import Reading, parse_lines, use

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BATCH = 20_000
OF_EACH = 3_000
SYSLOG_LINES = 40_000
TRACE = (
    b"2026-03-04 10:15:20,250 ERROR [main] shop.Pay: card declined",
    b"java.lang.IllegalStateException: no money",
    b"\tat shop.Pay.take(Pay.java:4)",
    b"\tat shop.Pay.main(Pay.java:9)",
    b"Caused by: java.io.IOException: closed",
    b"\t... 2 more",
)
TRACES = 8_000


def run(rounds: int) -> list[Figure]:
    cases = {"one format (syslog)": syslog_bytes(SYSLOG_LINES).splitlines(), "traces of six lines": [*TRACE] * TRACES}
    if logs := public_logs():
        blocks = [line for lines in logs.values() for line in lines[:OF_EACH]]
        cases["public logs, in blocks"] = blocks
        cases["public logs, shuffled"] = random.Random(7).sample(blocks, len(blocks))
    return [figure for name, lines in cases.items() for figure in _figures(name, lines, rounds)]


def _figures(name: str, lines: Sequence[bytes], rounds: int) -> list[Figure]:
    _parse(lines)
    masked, plain = list[float](), list[float]()
    for _ in range(rounds):
        masked.append(_cpu_s(lines))
        use(Reading(mask=frozenset()))
        plain.append(_cpu_s(lines))
        use(Reading())
    goal = "≥ 150,000" if name.startswith("traces") else "≥ 250,000"
    rates = [len(lines) / cpu_s for cpu_s in masked]
    return [
        alone(f"parse, {name}", "lines/CPU s", rates, goal),
        pair(f"parse, {name}: CPU with secrets masked", "s", masked, plain, "unmasked", "≤ 1.1 × unmasked"),
    ]


def _cpu_s(lines: Sequence[bytes]) -> float:
    return timed(lambda: _parse(lines))[1]


def _parse(lines: Sequence[bytes]) -> None:
    schema = {"line": pl.Binary(), "origin": pl.String(), "generation": pl.String(), "offset": pl.Int64()}
    for first in range(0, len(lines), BATCH):
        some = lines[first : first + BATCH]
        n = len(some)
        columns = {
            "line": some,
            "origin": ["a.log"] * n,
            "generation": ["0" * 10] * n,
            "offset": range(first, first + n),
        }
        parse_lines(pl.DataFrame(columns, schema=schema), now=NOW)
