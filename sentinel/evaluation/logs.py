"""Real log files through our own parser, and what is true of them: bursts of failed log-ins, alert columns."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from sentinel.evaluation.case import ATTACK_SCHEMA, Case, no_attacks
from sentinel.parse import parse_lines

__all__ = ["bgl_case", "burst_cases", "burst_labels", "quiet_cases", "read_log"]

NOW = datetime(2026, 11, 23, tzinfo=UTC)
BURST_LINES = 10
BURST_GAP_S = 60.0
FAILURE = r"(?i)failed|invalid|authentication failure|\[preauth\]"
ADDRESS = r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})"
HOST = r"rhost=([^\s]+)"
AUTH_LOGS = (("auth_fall2023.log", 0.40), ("OpenSSH_2k.log", 0.25))
"""Name and the share of its lines that is learnt from, attacks and all."""


def read_log(path: Path, *, lines: list[bytes] | None = None) -> pl.DataFrame:
    """RECORD_SCHEMA of a file's lines, in their order, through `parse_lines`."""
    raw = path.read_bytes().splitlines() if lines is None else lines
    frame = pl.DataFrame(
        {
            "line": raw,
            "origin": [path.name] * len(raw),
            "generation": ["evaluation"] * len(raw),
            "offset": np.cumsum([0, *(len(line) + 1 for line in raw)])[:-1],
        },
        schema={"line": pl.Binary, "origin": pl.String, "generation": pl.String, "offset": pl.Int64},
    )
    return parse_lines(frame, now=NOW).records


def burst_labels(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Label bursts by rule: one address, ten or more lines of failed log-ins, gaps ≤ 60 s.

    A line is one of a failed log-in that says failed, invalid or authentication failure, or ends before it (preauth).

    Gives the records with `label` and `attack`, and the bursts in ATTACK_SCHEMA.
    """
    who = pl.coalesce(pl.col("message").str.extract(ADDRESS), pl.col("message").str.extract(HOST))
    row = pl.int_range(pl.len()).alias("row")
    failing = records.select(row, "timestamp", "source", who.alias("who"), "message").filter(
        pl.col("message").str.contains(FAILURE) & pl.col("who").is_not_null()
    )
    gap = pl.col("timestamp").diff().over("who") > pl.duration(seconds=BURST_GAP_S)
    runs = failing.sort("timestamp", maintain_order=True).with_columns(
        run=gap.fill_null(value=False).cast(pl.Int64).cum_sum().over("who")
    )
    sized = runs.with_columns(lines=pl.len().over("who", "run")).filter(pl.col("lines") >= BURST_LINES)
    named = sized.with_columns(attack=pl.format("brute_force {}#{}", "who", "run"))
    marks = pl.DataFrame({"row": range(len(records))}, schema={"row": pl.Int64}).join(
        named.select("row", "attack"), on="row", how="left", maintain_order="left"
    )
    labelled = records.with_columns(marks["attack"], label=marks["attack"].is_not_null().cast(pl.Int8))
    bursts = named.group_by("attack", maintain_order=True).agg(
        kind=pl.lit("brute_force"),
        source=pl.col("source").first(),
        start=pl.col("timestamp").min(),
        end=pl.col("timestamp").max(),
    )
    return labelled, bursts.select(*ATTACK_SCHEMA).sort("start")


def burst_cases(data: Path) -> list[Case]:
    """Real authentication logs; most of their lines are attacks, in the past too."""
    cases = []
    for name, share in AUTH_LOGS:
        labelled, bursts = burst_labels(read_log(data / name))
        cut = round(share * len(labelled))
        train, test = labelled[:cut].drop("label", "attack"), labelled[cut:]
        there = bursts.filter(pl.col("attack").is_in(test["attack"].drop_nulls().unique().to_list()))
        cases.append(Case(name, "real auth logs", f"bursts by rule, first {share:.0%} learnt from", train, test, there))
    return cases


def bgl_case(data: Path) -> Case:
    """BlueGene/L: what is there is the first 5,000 lines (no alert) and 1,000 sampled ones, 96 of them alerts."""
    raw = (data / "BGL_2k_first1000.log").read_bytes().splitlines()
    test = read_log(data / "BGL_2k_first1000.log", lines=raw)
    alert = [not line.startswith(b"-") for line in raw]
    test = test.with_columns(label=pl.Series(alert).cast(pl.Int8), attack=pl.lit(None, pl.String))
    train = read_log(data / "BGL_5000.log")
    about = "first 5,000 lines → 1,000 sampled ones (rates and order are gone); stands for the second half of BGL"
    return Case("BGL", "BGL", about, train, test, no_attacks())


def quiet_cases(data: Path) -> list[Case]:
    """Public logs cut in two, nothing injected: every alarm is one that a person would have had to look at."""
    cases = []
    for path in sorted([*data.glob("*_2k.log"), data / "apache_access_first5000.log", data / "BGL_5000.log"]):
        records = read_log(path).sort("timestamp", maintain_order=True)
        half = len(records) // 2
        test = records[half:].with_columns(label=pl.lit(0, pl.Int8), attack=pl.lit(None, pl.String))
        cases.append(
            Case(
                path.name, "quiet", "second half of a public log, nothing injected", records[:half], test, no_attacks()
            )
        )
    return cases
