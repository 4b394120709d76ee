"""Real logs of many systems: time, level and message agree with the structured truth; skipped where it is absent."""

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from sentinel.parse import Parsed, parse_lines
from sentinel.parse.levels import from_word

DATA = Path(__file__).parents[3] / "shared" / "data"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AGREEMENT = 0.99

Row = dict[str, str]


def _yearless(text: str, form: str) -> datetime:
    """The latest such date that is not after NOW."""
    moment = datetime.strptime(f"2026 {text}", f"%Y {form}").replace(tzinfo=UTC)
    return moment if moment <= NOW else moment.replace(year=2025)


def _at(text: str, form: str) -> datetime:
    return datetime.strptime(text, form).replace(tzinfo=UTC)


def _bgl(row: Row) -> datetime:
    return datetime.fromtimestamp(int(row["Timestamp"]), UTC).replace(microsecond=int(row["Time"].split(".")[-1]))


def _health(row: Row) -> datetime:
    day, clock = row["Time"].split("-")
    hour, minute, second, millisecond = map(int, clock.split(":"))
    return _at(day, "%Y%m%d").replace(hour=hour, minute=minute, second=second, microsecond=millisecond * 1000)


def _level(row: Row) -> str | None:
    """The level that the truth has a column for; that of sshd has none, and calls its words part of the text."""
    word, is_said, _ = row["Content"].partition(": ")
    if row.get("Component") == "LabSZ":  # sshd's host, which the truth calls so
        return from_word(word) if is_said and word in ("error", "fatal") else None
    return from_word(row.get("Level") or "")


TRUTH: dict[str, Callable[[Row], datetime]] = {
    "Android": lambda r: _yearless(f"{r['Date']} {r['Time']}", "%m-%d %H:%M:%S.%f"),
    "Apache": lambda r: _at(r["Time"], "%a %b %d %H:%M:%S %Y"),
    "BGL": _bgl,
    "HDFS": lambda r: _at(r["Date"].zfill(6) + r["Time"].zfill(6), "%y%m%d%H%M%S"),
    "HPC": lambda r: datetime.fromtimestamp(int(r["Time"]), UTC),
    "Hadoop": lambda r: _at(f"{r['Date']} {r['Time']}", "%Y-%m-%d %H:%M:%S,%f"),
    "HealthApp": _health,
    "Mac": lambda r: _yearless(f"{r['Month']} {r['Date']} {r['Time']}", "%b %d %H:%M:%S"),
    "OpenSSH": lambda r: _yearless(f"{r['Date']} {r['Day']} {r['Time']}", "%b %d %H:%M:%S"),
    "OpenStack": lambda r: _at(f"{r['Date']} {r['Time']}", "%Y-%m-%d %H:%M:%S.%f"),
    "Proxifier": lambda r: _yearless(r["Time"], "%m.%d %H:%M:%S"),
    "Spark": lambda r: _at(f"{r['Date']} {r['Time']}", "%y/%m/%d %H:%M:%S"),
    "Thunderbird": lambda r: datetime.fromtimestamp(int(r["Timestamp"]), UTC),
    "Windows": lambda r: _at(f"{r['Date']} {r['Time']}", "%Y-%m-%d %H:%M:%S"),
    "Zookeeper": lambda r: _at(f"{r['Date']} {r['Time']}", "%Y-%m-%d %H:%M:%S,%f"),
}
FILES = {name: f"{name}_2k.log" for name in TRUTH} | {"BGL": "BGL_2k_first1000.log"}


def _parsed(name: str) -> Parsed:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path.name} is not here: real logs are kept beside the repository, in shared/data")
    lines = path.read_bytes().removesuffix(b"\n").split(b"\n")
    columns = {"line": lines, "origin": [str(path)] * len(lines), "generation": ["g"] * len(lines)}
    frame = pl.DataFrame({**columns, "offset": range(len(lines))}, schema_overrides={"line": pl.Binary})
    return parse_lines(frame, now=NOW)


@pytest.mark.parametrize("system", TRUTH)
def test_sample_agrees_with_its_truth(system: str) -> None:
    """Time and level of at least 99 % of the lines together, message and component of as many; one record a line."""
    records = _parsed(FILES[system]).records.to_dicts()
    with (DATA / "structured" / f"{FILES[system]}_structured.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(records) == len(rows)

    headed = sum(
        record["timestamp"] == TRUTH[system](row) and record["level"] == _level(row)
        for record, row in zip(records, rows, strict=True)
    )
    said = sum(record["message"] == row["Content"].rstrip() for record, row in zip(records, rows, strict=True))

    assert headed >= AGREEMENT * len(rows)
    assert said >= AGREEMENT * len(rows)


@pytest.mark.parametrize(
    ("system", "column"),
    [(system, "Component") for system in TRUTH if system not in ("Apache", "OpenSSH", "Proxifier", "Zookeeper")]
    + [("Proxifier", "Program")],
)
def test_source_is_the_component(system: str, column: str) -> None:
    """Where the truth names it as the line does (it cuts Zookeeper's at the first colon, and calls sshd's host one)."""
    records = _parsed(FILES[system]).records
    truth = pl.read_csv(DATA / "structured" / f"{FILES[system]}_structured.csv", infer_schema=False)

    assert (records["source"] == truth[column]).sum() >= AGREEMENT * records.height


@pytest.mark.parametrize(
    ("name", "source"),
    [("auth_fall2023.log", None), ("webscan_netsparker.log", "access"), ("apache_access_first5000.log", "access"),
     ("BGL_5000.log", None), ("HDFS_20000.log", None)],
)  # fmt: skip
def test_every_line_of_other_logs_has_its_time(name: str, source: str | None) -> None:
    """None falls back to its arrival, and none needs its raw line kept."""
    records = _parsed(name).records

    assert (records["timestamp"] != records["received"]).all()
    assert records["raw"].null_count() == records.height
    if source:
        assert records["source"].unique().to_list() == [source]
        assert records["level"].null_count() == 0
        assert records["message"].str.contains(r'^[^ ]+ ".*" [1-5][0-9]{2} ').mean() > AGREEMENT


def test_level_and_logger_are_found_when_a_log_has_no_time() -> None:
    """The nova lines of a fault begin with their level."""
    records = _parsed("openstack-nova-dhcpoff.log").records

    assert records["level"].null_count() == 0
    assert (records["source"] != "openstack-nova-dhcpoff").mean() > 0.9


def test_failed_logins_of_many_daemons_have_a_time() -> None:
    """Lines that fail2ban's own tests carry, in the ways of dozens of systems."""
    files = sorted((DATA / "fail2ban").glob("*"))
    if not files:
        pytest.skip("fail2ban's samples are not here: real logs are kept beside the repository, in shared/data")
    for path in files:
        records = _parsed(f"fail2ban/{path.name}").records
        dated = records.filter(~records["message"].str.starts_with("#"))

        assert (dated["timestamp"] != dated["received"]).mean() > 0.9, path.name
