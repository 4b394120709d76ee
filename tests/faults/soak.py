"""Hours of faults: `python -m tests.faults.soak [--seed N] [--hours H] [--out FOLDER] [--only GATE …]`.

Runs the figures of every gate once, then random kills with new seeds until the hours are over. Prints its seed and its
verdict, writes `soak.json` and `soak.md` after each part, and goes on where it was broken off when it is started again
with the same folder. Exit code 1 when any part was red.
"""

import argparse
import json
import logging
import os
import secrets
import shutil
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sentinel.pipeline.deliver import ROUND_RECORDS
from sentinel.store.elastic import ElasticStore
from tests.elastic_server import ElasticServer, UnavailableError
from tests.faults import (
    bulk_matrix,
    crash_points,
    evil,
    io_server,
    iofaults,
    kill,
    model_points,
    outage,
    powerloss,
    real_elastic,
)
from tests.faults import recovery as recoveries
from tests.faults.fake_control import FakeElastic
from tests.faults.gates import GATES
from tests.faults.mutants import MUTANTS
from tests.faults.processes import ROOT
from tests.faults.test_faults_teeth import run_gate

__all__ = ["main"]

READY_S = 5.0
START_S = 3.0  # with a backlog of 1 GiB
START_MB = 128  # more memory than with none, while it drains
ROUND = {"kills": 60, "http_events": 300_000, "file_lines": 300_000}
READINGS = 3

Part = Callable[[Path, int], tuple[bool, dict[str, Any]]]


def random_kills(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R1 and R13."""
    found = kill.run(folder, seed=seed, packing=bool(seed % 2), gap_s=(0.3, 6.0), **ROUND)
    return found.verdict.passed and max(found.ready_s) < READY_S, found.figures()


def failpoints(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R2: every place of delivery, to Elasticsearch and to Parquet; then training, scoring and live detection."""
    deaths, wrong = 0, list[str]()
    with FakeElastic(seed=seed) as fake:
        names = [p for p, who in crash_points.PLACES.items() if {"collect", "load", "intake"} & set(who)]
        for number, (name, store) in enumerate((name, store) for name in names for store in (fake, None)):
            trial = crash_points.run_place(name, folder / str(number), store, seed=seed)
            deaths += trial.deaths.total()
            wrong += trial.wrong + ([] if trial.verdict.passed else [f"{name}: {trial.verdict.explain()}"])
        moved = crash_points.run_history(folder / "history", fake, seed=seed)
    deaths += moved.deaths.total()
    wrong += moved.wrong + ([] if moved.verdict.passed else [moved.verdict.explain()])
    prepared = model_points.prepare(folder / "prepared")
    calm = model_points.live_places(prepared, folder / "calm", armed=False)
    for number, trial in enumerate(
        (
            model_points.train_places(prepared, folder / "train"),
            model_points.score_places(prepared, folder / "score"),
            killed := model_points.live_places(prepared, folder / "live", armed=True),
        )
    ):
        deaths += trial.deaths.total()
        wrong += [f"models {number}: {what}" for what in trial.wrong]
    wrong += [] if killed.anomalies == calm.anomalies else ["live detection found other anomalies after its deaths"]
    places = crash_points.places_in_code()
    return not wrong and places == set(crash_points.PLACES), {"places": len(places), "deaths": deaths, "wrong": wrong}


def power_cuts(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R3, and the trace of the server's acknowledgements."""
    found = powerloss.run(folder, seed=seed, count=350, cuts=60)
    (folder / "trace-run").mkdir()
    answered, late = io_server.acks_follow_syncs(folder / "trace-run", requests=300)
    figures = found.figures() | {"http_acks_traced": answered, "http_acks_before_sync": len(late)}
    return not found.wrong and not late and answered == 300, figures | {"examples": found.wrong[:5] + late[:5]}


def failing_calls(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R4: every site, then the whole server, then a full tmpfs."""
    for name in ("calls", "server", "full"):
        (folder / name).mkdir()
    sweeps = iofaults.run(folder / "calls", stride=1, seed=seed)
    trials = io_server.run(folder / "server")
    wrong = [what for sweep in sweeps for what in sweep.wrong]
    wrong += [trial.verdict.explain() for trial in trials if not trial.verdict.passed]
    wrong += [f"trial {n}: {trial.during}" for n, trial in enumerate(trials) if not set(trial.during) <= {202, 503}]
    figures: dict[str, Any] = {
        "sites": sum(one.sites for one in sweeps),
        "failures": sum(one.failures for one in sweeps),
    }
    figures["slowest_answer_s"] = round(max(trial.slowest_s for trial in trials), 2)
    figures["recovered_s"] = [round(trial.recovered_s, 2) for trial in trials]
    try:
        full = io_server.full_disk(folder / "full")
        figures["full_tmpfs"] = [str(one) for one in full.during]
        wrong += [] if full.verdict.passed and full.recovered_s >= 0 else [full.verdict.explain()]
    except PermissionError as exc:
        figures["full_tmpfs"] = f"skipped: {exc}"
    return not wrong and min(trial.recovered_s for trial in trials) >= 0, figures | {"wrong": wrong[:10]}


def long_outage(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R5: a minute away at 2,000 events a second, then the bound."""
    found = outage.run(folder / "outage", seed=seed, rate=2000, down_s=60)
    bound = outage.fill(folder / "bound", seed=seed, tries_after=200)
    grown = found.rss_most_mb - found.rss_before_mb
    fine = found.verdict.passed and found.p99_ms < 100 and grown <= 64 and found.drained_per_s >= 2 * found.rate
    fine = fine and bound.verdict.passed and set(bound.refused) == {"503"} and bound.ready_again
    figures = found.figures() | {
        "grown_mb": round(grown, 1),
        "bound": bound.refused,
        "at_bound": bound.verdict.counts(),
    }
    return fine, figures


def bad_answers(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R6: the whole matrix."""
    wrong = []
    with FakeElastic(seed=seed) as fake:
        for number, case in enumerate(bulk_matrix.CASES):
            wrong += [f"{case.name}: {w}" for w in bulk_matrix.run_case(case, fake, folder / str(number)).wrong]
    return not wrong, {"cases": len(bulk_matrix.CASES), "wrong": wrong[:10]}


def teeth(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R12: every mutant turns its gate red, the product none."""
    green = {gate: run_gate(gate, "none").returncode == 0 for gate in GATES}
    red = {name: run_gate(gate, name).returncode == 1 for name, (_, gate) in MUTANTS.items()}
    missed = [name for name, is_red in red.items() if not is_red] + [
        name for name, is_fine in green.items() if not is_fine
    ]
    return not missed, {"gates": len(green), "mutants": len(red), "missed": missed}


def elasticsearch(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """The real one, killed three times, with a mapping conflict and a read-only block; then what poison costs (R6)."""
    try:
        with ElasticServer() as server:
            found = real_elastic.run(folder / "run", server, seed=seed, events=100_000, kills=3)
            cost = real_elastic.cost_of_poison(server, folder / "cost", rows=100_000, readings=READINGS)
    except UnavailableError as exc:
        return False, {"missing": str(exc)}
    fine = found.verdict.passed and found.verdict.dead > 0 and cost["kept"] >= 0.8
    return fine, found.figures() | {"poison": cost}


def recovery(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """A start with 1 GiB that waits; a backlog that meets the real Elasticsearch at 2,000 events a second."""
    start = recoveries.start_with(folder / "start", mib=1024)
    grown_mb = start.rss_most_mb - start.rss_empty_mb
    figures = start.figures() | {"grown_mb": round(grown_mb, 1)}
    fine = statistics.median(start.ready_s) < START_S and grown_mb < START_MB and start.delivered > 0
    try:
        with ElasticServer() as server:
            found = recoveries.drain_backlog(folder / "drain", server, seed=seed, rate=2000, down_s=30)
    except UnavailableError as exc:
        return False, figures | {"missing": str(exc)}
    fine = fine and found.verdict.passed and found.times_intake >= 2 and found.refused_429 == 0
    return fine and found.furthest_out_of_order <= ElasticStore.in_flight * ROUND_RECORDS, figures | found.figures()


def evil_requests(folder: Path, seed: int) -> tuple[bool, dict[str, Any]]:
    """R8: ten thousand, one in a hundred of megabytes."""
    found = evil.run(folder, seed=seed, requests=10_000, big_share=0.01)
    return found.passed, found.figures()


PARTS: dict[str, Part] = {
    "R1 random kills": random_kills,
    "R2 failpoints": failpoints,
    "R3 power cuts": power_cuts,
    "R4 failing calls": failing_calls,
    "R5 outage": long_outage,
    "R6 bad answers": bad_answers,
    "R8 evil requests": evil_requests,
    "R12 teeth": teeth,
    "real Elasticsearch": elasticsearch,
    "recovery": recovery,
}


def run_part(name: str, seed: int) -> dict[str, Any]:
    """One part in a folder of its own, kept where it was red."""
    began, folder = time.monotonic(), Path(tempfile.mkdtemp(prefix="soak-"))
    try:
        passed, figures = PARTS[name](folder, seed)
    except Exception:
        passed, figures = False, {"error": traceback.format_exc()[-1000:]}
    if passed:
        shutil.rmtree(folder, ignore_errors=True)
    took_s = round(time.monotonic() - began, 1)
    return {"part": name, "seed": seed, "passed": passed, "took_s": took_s, "figures": figures}


def table(rows: list[dict[str, Any]], seed: int) -> str:
    """The verdict as Markdown."""
    head = f"# Soak, seed {seed}\n\n| part | seed | verdict | took | figures |\n|---|---|---|---|---|\n"
    lines = []
    for row in rows:
        figures = json.dumps(row["figures"], ensure_ascii=False, default=str).replace("|", "\\|")
        verdict = "green" if row["passed"] else "**red**"
        lines.append(f"| {row['part']} | {row['seed']} | {verdict} | {row['took_s']} s | {figures[:1500]} |\n")
    return head + "".join(lines)


def save(folder: Path, seed: int, rows: list[dict[str, Any]]) -> None:
    """Write what is known so far; a broken-off run goes on from here."""
    temp = folder / ".soak.json.tmp"
    temp.write_text(json.dumps({"seed": seed, "rows": rows}, indent=1, default=str))
    temp.replace(folder / "soak.json")
    (folder / "soak.md").write_text(table(rows, seed))


def say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Run and report; 0 when everything was green."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="of the first part; the others count on from it")
    parser.add_argument("--hours", type=float, default=2.0, help="random kills go on until then")
    parser.add_argument("--out", type=Path, help="default: var/soak, with --only a new folder beside it")
    parser.add_argument("--only", nargs="*", default=[""], help="gates by a part of their names, e.g. R5 or evil")
    options = parser.parse_args(arguments)
    options.only = [name for name in PARTS if any(part.lower() in name.lower() for part in options.only)]
    if not options.only:
        parser.error(f"--only takes a part of one of: {', '.join(PARTS)}")
    if options.out is None:
        is_whole = len(options.only) == len(PARTS)
        options.out = ROOT / "var" / ("soak" if is_whole else f"soak-{time.strftime('%Y%m%dT%H%M%S')}")
    options.out.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.ERROR)  # what the product says of provoked faults would bury the verdicts
    known = json.loads(text.read_text()) if (text := options.out / "soak.json").exists() else None
    seed = known["seed"] if known else (options.seed if options.seed is not None else secrets.randbelow(10**6))
    rows = known["rows"] if known else []
    say(f"seed {seed}, results in {options.out}, {len(rows)} parts known already, pid {os.getpid()}")
    began, plan = time.monotonic(), [(name, seed + number) for number, name in enumerate(options.only)]
    done = {(row["part"], row["seed"]) for row in rows}
    following = seed + 1000 + sum(row["seed"] >= seed + 1000 for row in rows)
    while plan or ("R1 random kills" in options.only and time.monotonic() - began < options.hours * 3600):
        name, chosen = plan.pop(0) if plan else ("R1 random kills", following)
        following += chosen == following
        if (name, chosen) in done:
            continue
        row = run_part(name, chosen)
        rows.append(row)
        save(options.out, seed, rows)
        say(f"{'green' if row['passed'] else 'RED  '} {name} seed {chosen} in {row['took_s']} s: {row['figures']}")
    red = [row["part"] for row in rows if not row["passed"]]
    say(f"verdict: {'red: ' + ', '.join(red) if red else 'green'} ({len(rows)} parts, seed {seed})")
    return 1 if red else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
