"""R2 and R11 for training and scoring: they die at their named places, and the end is that of an undisturbed run."""

import shutil
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import polars as pl

from tests.faults.crash_points import KILLED, LIVE, PLACES, SCORE, TRAIN
from tests.faults.processes import Home, Server, run_verb

__all__ = ["Prepared", "Trial", "live_places", "places_of", "prepare", "score_places", "train_places"]

NO_MODEL = 2
PATIENCE_S = 90.0


@dataclass
class Trial:
    """What died, what was wrong, and which events were found strange."""

    deaths: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    anomalies: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Prepared:
    """Homes to copy: one with normal records in the store, one with a model and an attack waiting in its spool."""

    normal: Path
    attacked: Path


def places_of(who: str) -> list[str]:
    """The places at which this one must die."""
    return [place for place, whose in PLACES.items() if who in whose]


def must(home: Home, *arguments: str) -> bytes:
    """Run a verb that has to end well. Raises RuntimeError."""
    code, output = run_verb(home, *arguments)
    if code != 0:
        raise RuntimeError(f"{arguments} ended with {code}: {home.log_tail()}")
    return output


def prepare(folder: Path) -> Prepared:
    """A morning of a small fleet, learnt; and an afternoon with attacks in it."""
    home = Home(folder / "made")
    common = ("simulate", "--hours", "3", "--seed", "5")
    must(home, *common, "--attacks", "none", "--out", str(home.watched / "morning.ndjson"))
    must(home, "collect")
    must(home, "load")
    shutil.copytree(folder / "made", folder / "normal")
    must(home, "train")
    attacks = ("--attacks", "brute_force,port_scan", "--attack-after-hours", "1")
    start = ("--start", "2026-01-05T03:00:00+00:00")
    must(home, *common, *attacks, *start, "--out", str(home.watched / "noon.ndjson"))
    for truth in home.watched.glob("*.truth.json"):
        truth.unlink()
    must(home, "collect")
    return Prepared(folder / "normal", folder / "made")


def copy(source: Path, target: Path) -> Home:
    """A home of its own with the same content."""
    shutil.copytree(source, target)
    return Home(target)


def train_places(prepared: Prepared, folder: Path) -> Trial:
    """Training dies at each of its places, twice; the old champion answers all the while, then the new one."""
    trial, home = Trial(), copy(prepared.normal, folder / "home")
    for place in places_of(TRAIN):
        for _ in range(2):
            code, _ = run_verb(home, "train", LOG_SENTINEL_FAILPOINT=f"{place}:kill")
            trial.deaths[place] += code == KILLED
            code, _ = run_verb(home, "predict", "Failed password for root")
            if code not in (0, NO_MODEL):
                trial.wrong.append(f"predict ended with {code} after a death at {place}: {home.log_tail(800)}")
    must(home, "train")
    verdict = orjson.loads(must(home, "predict", "Failed password for root"))
    listed = [orjson.loads(line) for line in must(home, "models", "list", "--json").splitlines()]
    if not 0 <= verdict["anomaly_score"] <= 1 or not listed:
        trial.wrong.append(f"no verdict or no model in the end: {verdict} {listed}")
    return trial


def score_places(prepared: Prepared, folder: Path) -> Trial:
    """Batch scoring dies, twice; in the end every event is scored and each anomaly is there once."""
    trial, home = Trial(), copy(prepared.attacked, folder / "home")
    must(home, "load")
    for place in places_of(SCORE):
        for _ in range(2):
            code, _ = run_verb(home, "score", LOG_SENTINEL_FAILPOINT=f"{place}:kill")
            trial.deaths[place] += code == KILLED
    must(home, "score")
    again = orjson.loads(must(home, "score", "--json"))
    if again["missing"]:
        trial.wrong.append(f"a second run had something to do: {again}")
    must(home, "load")
    trial.anomalies = stored_anomalies(home)
    return trial


def live_places(prepared: Prepared, folder: Path, *, armed: bool) -> Trial:
    """The server dies at each place of live detection, twice (unless not `armed`); then it scores to the end."""
    trial, home = Trial(), copy(prepared.attacked, folder / "home")
    server = Server(home)
    for place in places_of(LIVE) if armed else ():
        for _ in range(2):
            server.start(LOG_SENTINEL_FAILPOINT=f"{place}:kill")
            assert server.process is not None
            try:
                trial.deaths[place] += server.process.wait(PATIENCE_S) == KILLED
            finally:
                server.kill()
    server.start()
    server.wait_ready()
    wait_scored(server, home)
    server.stop()
    must(home, "load")
    trial.anomalies = stored_anomalies(home)
    return trial


def wait_scored(server: Server, home: Home) -> None:
    """Until the live reader has saved a position behind which nothing is left."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        readers = orjson.loads(must(home, "status", "--json"))["readers"]
        if readers["detect"]["behind"] == 0:
            return
        time.sleep(0.5)
    raise RuntimeError(f"not scored within {PATIENCE_S} s: {server.status()}")


def stored_anomalies(home: Home) -> list[str]:
    """The ids of all anomalies in the store but those of silences, which depend on the clock; with repetitions."""
    found: list[str] = []
    for path in (home.home / "store" / "anomalies").rglob("*.parquet"):
        if not path.name.startswith("."):
            rows = pl.read_parquet(path).filter(pl.col("origin") != "watchdog")
            found += rows["event_id"].to_list()
    return sorted(found)
