"""Line-by-line cases: injected attacks on made and real backgrounds, with and without incidents in the past."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from sentinel.evaluation.case import ATTACK_SCHEMA, Case, case_of_suite, records_of
from sentinel.evaluation.logs import read_log
from sentinel.simulate import fleet, inject

__all__ = ["own_suites", "shared_suites"]

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY_S = 86_400.0
MIXED = ("Zookeeper", "Apache", "Mac", "Spark", "Windows", "Hadoop", "OpenStack", "Proxifier", "HPC", "HealthApp")

SHARED_KINDS = {
    "brute": "brute_force",
    "brute_slow": "brute_force_slow",
    "stuffing": "credential_stuffing",
    "error_spike": "error_burst",
    "volume": "rate_spike",
    "portscan": "port_scan",
    "webscan": "web_scan",
    "priv_esc": "privilege",
    "odd_login": "new_address",
}


def shared_suites(data: Path) -> Iterator[Case]:
    """The suites of `data/attacks`: four days, 39 attacks, the first two days to learn from."""
    for path in sorted((data / "attacks").glob("*.jsonl.gz")):
        name = path.name.removesuffix(".jsonl.gz")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = [json.loads(line) for line in file]
        lines = pl.DataFrame(rows, infer_schema_length=None).with_columns(
            (pl.col("timestamp") * 1e6).round().cast(pl.Int64).cast(pl.Datetime("us", "UTC")),
            pl.col("level").str.to_lowercase().replace({"warning": "warn", "critical": "fatal", "severe": "error"}),
            pl.col("label").fill_null(0).cast(pl.Int8),
        )
        records = records_of(lines)
        in_test = lines["split"] == "test"
        train, test = records.filter(~in_test).drop("label", "attack"), records.filter(in_test)
        truth = json.loads((path.parent / f"{name}.truth.json").read_text(encoding="utf-8"))
        group = "injected, contaminated" if "contaminated" in name else "injected, clean"
        attacks = _shared_attacks(truth, test)
        yield Case(name, group, "attacks injected into a real background", train, test, attacks)


def _shared_attacks(truth: list[dict[str, object]], test: pl.DataFrame) -> pl.DataFrame:
    """Attacks of the test; the source of a silence, which has no line, is the one that stops then."""
    start = test["timestamp"][0]
    rows = []
    for entry in truth:
        began, ended = (datetime.fromtimestamp(float(str(entry[key])), UTC) for key in ("start", "end"))
        if began < start:
            continue
        name = str(entry["attack"])
        kind = name.partition("#")[0]
        own = test.filter(pl.col("attack") == name)
        source = own["source"][0] if len(own) else _silent_source(test, began, ended)
        rows.append((name, SHARED_KINDS.get(kind, kind), source, began, ended))
    return pl.DataFrame(rows, schema={**ATTACK_SCHEMA}, orient="row") if rows else pl.DataFrame(schema=ATTACK_SCHEMA)


def _silent_source(test: pl.DataFrame, began: datetime, ended: datetime) -> str | None:
    """The source of the most regular shape that says nothing between the two moments."""
    shape = pl.col("message").str.replace_all(r"\d+", "0")
    gaps = pl.col("timestamp").diff().dt.total_milliseconds().drop_nulls() / 1000.0
    inside = pl.col("timestamp").is_between(began, ended, closed="none")
    sizes = (pl.len().alias("n"), gaps.median().alias("median"), gaps.quantile(0.9).alias("wide"))
    groups = test.with_columns(shape=shape).group_by("source", "shape").agg(*sizes, inside.sum().alias("inside"))
    length_s = (ended - began).total_seconds()
    fit = groups.filter(
        (pl.col("n") >= 200)
        & (pl.col("inside") <= 1)
        & (pl.col("wide") < 2 * pl.col("median"))
        & (pl.col("median") < length_s / 2)
    ).sort("median")
    return str(fit["source"][0]) if len(fit) else None


def own_suites(
    data: Path | None, seeds: range, *, contaminated: bool, days: float = 4.0, each: int = 3
) -> Iterator[Case]:
    """Our attacks in our wordings on a made fleet and, where `data` is given, on two real backgrounds."""
    group = "own, contaminated" if contaminated else "own, clean"
    split = START + timedelta(days=days / 2)
    for seed in seeds:
        backgrounds = {"fleet": fleet(seed=1000 + seed, start=START, duration_s=days * DAY_S)}
        if data is not None:
            backgrounds["mixed"] = _mixed(data, seed, days)
            backgrounds["web"] = _web(data, seed, days)
        for name, lines in backgrounds.items():
            suite = inject(lines, seed=2000 + seed, each=each, earlier=int(contaminated), since=split)
            about = f"our wordings on the background {name!r}, {int(contaminated)} incident of each kind in the past"
            yield case_of_suite(f"{name}{seed}{'c' if contaminated else ''}", group, about, suite, split=split)


def _retimed(records: pl.DataFrame, seed: int, days: float) -> pl.DataFrame:
    """The same lines in the same order with invented times: gaps drawn log-normal, so that bursts stay bursts."""
    gaps = np.cumsum(np.random.default_rng(seed).lognormal(0.0, 1.8, len(records)))
    at_us = START.timestamp() * 1e6 + (gaps - gaps[0]) / max(gaps[-1] - gaps[0], 1e-9) * (days * DAY_S - 1.0) * 1e6
    stamp = pl.Series("timestamp", at_us.astype(np.int64)).cast(pl.Datetime("us", "UTC")).dt.cast_time_unit("ns")
    return records.with_columns(stamp).select("timestamp", "level", "source", "host", "message")


def _mixed(data: Path, seed: int, days: float) -> pl.DataFrame:
    """Ten systems' samples, each with invented times over the whole span."""
    parts = [_retimed(read_log(data / f"{name}_2k.log"), seed * 100 + i, days) for i, name in enumerate(MIXED)]
    return pl.concat(parts).sort("timestamp", maintain_order=True)


def _web(data: Path, seed: int, days: float) -> pl.DataFrame:
    """Real web requests with invented times, beside the other half of a small made fleet."""
    requests = _retimed(read_log(data / "apache_access_first5000.log"), seed, days)
    rest = fleet(
        seed=3000 + seed, start=START, duration_s=days * DAY_S, services=("ssh", "sudo", "cron", "system", "database")
    )
    return pl.concat([requests, rest]).sort("timestamp", maintain_order=True)
