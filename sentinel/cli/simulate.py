"""`simulate`: made-up logs with attacks in them, and the truth beside them; the same seed, the same bytes."""

import argparse
from datetime import timedelta
from pathlib import Path

import polars as pl

from sentinel.cli.commands import Run
from sentinel.cli.lists import listed
from sentinel.cli.numbers import MAX_SEED, real, whole
from sentinel.cli.show import json_line, print_json
from sentinel.counted import counted
from sentinel.errors import TerminalError
from sentinel.moments import moment
from sentinel.settings import Settings
from sentinel.simulate import ATTACK_KINDS, FORMATS, append_files, fleet, inject, write_lines

__all__ = ["simulate"]

MAX_HOURS = 24 * 366
DEFAULT_START = "2026-01-05T00:00:00+00:00"
SUFFIX = ".truth.json"


def simulate(command: argparse.ArgumentParser) -> Run:
    """Arguments of `simulate`."""
    command.add_argument(
        "--out", type=Path, required=True, help="a folder (log files), or a file ending in .ndjson or .log"
    )
    command.add_argument("--start", type=moment, default=moment(DEFAULT_START), help="ISO 8601")
    command.add_argument("--hours", type=real(0, MAX_HOURS), default=24.0)
    command.add_argument("--seed", type=whole(0, MAX_SEED), default=0)
    command.add_argument("--attacks", default="all", help=f"all, none, or some of: {', '.join(ATTACK_KINDS)}")
    command.add_argument("--each", type=whole(0, 1_000), default=1, help="attacks of each kind")
    command.add_argument(
        "--attack-after-hours", type=real(0, MAX_HOURS), default=None, help="first attack; half the time, if left out"
    )
    command.add_argument("--form", choices=sorted(FORMATS), default="syslog", help="form of a .log file")
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _simulate


def _simulate(options: argparse.Namespace, settings: Settings) -> int:
    """Lines to --out; which line belongs to which attack to `<out>.truth.json` beside it."""
    duration_s = options.hours * 3600.0
    if duration_s <= 0:
        raise TerminalError("simulate: --hours takes a number above 0")
    background = fleet(seed=options.seed, start=options.start, duration_s=duration_s)
    kinds = _kinds(options.attacks)
    first_h = options.hours / 2 if options.attack_after_hours is None else options.attack_after_hours
    if first_h >= options.hours:
        raise TerminalError("simulate: --attack-after-hours takes less than --hours")
    since, until = options.start + timedelta(hours=first_h), options.start + timedelta(seconds=duration_s)
    suite = inject(background, seed=options.seed, kinds=kinds, each=options.each, since=since, until=until)
    lines = suite.lines
    _write(lines, options.out, options.form)
    truth = options.out.with_name(options.out.name + SUFFIX)
    with truth.open("w", encoding="utf-8") as file:
        for attack in suite.attacks.iter_rows(named=True):
            file.write(json_line(attack) + "\n")
    if options.json:
        made = {"lines": lines.height, "attacks": suite.attacks.height, "out": str(options.out), "truth": str(truth)}
        print_json(made)
        return 0
    many = f"{counted(lines.height, 'line')}, {counted(suite.attacks.height, 'attack')}"
    print(f"{many} → {options.out}, truth in {truth}")
    return 0


def _kinds(text: str) -> tuple[str, ...]:
    if text == "all":
        return tuple(ATTACK_KINDS)
    return () if text == "none" else listed(text)


def _write(lines: pl.DataFrame, out: Path, form: str) -> None:
    if out.suffix == ".ndjson":
        with out.open("w", encoding="utf-8") as file:
            for row in lines.select("timestamp", "level", "source", "host", "message").iter_rows(named=True):
                file.write(json_line(row) + "\n")
    elif out.suffix == ".log":
        out.write_text("".join(f"{line}\n" for line in write_lines(lines, form)), encoding="utf-8")
    else:
        append_files(lines, out)
