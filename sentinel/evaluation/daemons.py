"""Password guessing in the real words of many daemons: each line of the fail2ban samples, as a burst of its own."""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from sentinel.evaluation.case import ATTACK_SCHEMA, Case, records_of
from sentinel.evaluation.logs import read_log
from sentinel.simulate import fleet

__all__ = ["daemon_case"]

START = datetime(2026, 11, 2, tzinfo=UTC)
DAY_S = 86_400.0
ATTEMPTS, GAP_S = 30, 1.5
MARK = re.compile(r"^# failJSON: (\{.*\})\s*$")


def daemon_case(data: Path, *, limit: int = 12, days: float = 2.0) -> Case:
    """Up to `limit` lines a daemon, each repeated thirty times, 1.5 s apart, on the second day of a made fleet."""
    background = records_of(fleet(seed=77, start=START, duration_s=days * DAY_S))
    split = START + timedelta(days=days / 2)
    lines = [(daemon, line) for daemon in _daemons(data) for line in _lines(data / "fail2ban" / daemon, limit)]
    slot_s = (days / 2 * DAY_S - 600.0) / max(len(lines), 1)
    bursts, attacks = [], []
    for i, (daemon, line) in enumerate(lines):
        name, start = f"{daemon}#{i}", split + timedelta(seconds=300.0 + i * slot_s)
        burst = _burst(line, start).with_columns(label=pl.lit(1, pl.Int8), attack=pl.lit(name))
        bursts.append(burst)
        attacks.append((name, daemon, burst["source"][0], start, burst["timestamp"][-1]))
    test = background.filter(pl.col("timestamp") >= split)
    test = test.with_columns(label=pl.lit(0, pl.Int8), attack=pl.lit(None, pl.String))
    test = pl.concat([test, *bursts]).sort("timestamp", maintain_order=True)
    train = background.filter(pl.col("timestamp") < split)
    about = f"{len(lines)} failure lines of {len(_daemons(data))} daemons, each as a burst"
    return Case("daemons", "daemons", about, train, test, pl.DataFrame(attacks, schema=ATTACK_SCHEMA, orient="row"))


def _daemons(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "fail2ban").iterdir() if path.is_file())


def _lines(path: Path, limit: int) -> list[str]:
    """Lines that fail2ban says are failures, the first of each shape."""
    found: dict[str, str] = {}
    matched = False
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        mark = MARK.match(line)
        if mark is not None:
            matched = _is_match(mark[1])
        elif line.strip() and not line.startswith("#"):
            if matched:
                found.setdefault(re.sub(r"\d+", "0", line), line)
            matched = False
    return list(found.values())[:limit]


def _is_match(text: str) -> bool:
    try:
        entry = json.loads(text)
    except ValueError:
        return False
    return bool(entry.get("match")) and "host" in entry


def _burst(line: str, start: datetime) -> pl.DataFrame:
    record = read_log(Path("fail2ban.log"), lines=[line.encode()])
    at = [start + timedelta(seconds=GAP_S * n) for n in range(ATTEMPTS)]
    burst = pl.concat([record] * ATTEMPTS).with_columns(pl.Series("timestamp", at).cast(pl.Datetime("ns", "UTC")))
    return burst.with_columns(event_id=pl.format("d{}", pl.int_range(pl.len())))
