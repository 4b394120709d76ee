"""R2: the process dies at every named place, and again while it recovers; the end is that of an undisturbed run."""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from sentinel.records import EVENTS
from sentinel.spool import Spool
from tests.faults.fake_control import FakeElastic
from tests.faults.load import Link, line_of
from tests.faults.oracle import FILES, HTTP, POISON, Oracle, Verdict, body_of
from tests.faults.processes import ROOT, Home, Server, run_verb
from tests.faults.stored import documents

__all__ = ["PLACES", "Trial", "places_in_code", "run_history", "run_place"]

CALL = re.compile(r"\breach\(\s*\"([^\"]+)\"")
LINES, REQUEST, POISON_EVERY = 300, 120, 50
KILLED = -9
BOOKS = ("received", "rejected", "accepted", "delivered", "waiting", "dead")

COLLECT, LOAD, INTAKE, TRAIN, SCORE, LIVE = "collect", "load", "intake", "train", "score", "live"
HISTORY = "history"
ALERT = "alert"  # killed in tests/pipeline/test_pipeline_alerts.py

PLACES: dict[str, tuple[str, ...]] = {
    "spool.before-append": (COLLECT, INTAKE),
    "spool.after-append": (COLLECT, INTAKE),
    "spool.after-checkpoint": (COLLECT,),
    "spool.before-commit": (COLLECT, LOAD),
    "spool.after-commit": (COLLECT, LOAD),
    "ingest.parsed": (INTAKE,),
    "ingest.committed": (INTAKE,),
    "deliver.written": (LOAD,),
    "spool.before-move": (LOAD,),
    "spool.after-move": (LOAD,),
    "spool.before-dead-letter": (LOAD,),
    "spool.before-prune": (LOAD,),
    "model.written": (TRAIN,),
    "model.renamed": (TRAIN,),
    "champion.write": (TRAIN,),
    "champion.written": (TRAIN,),
    "score.emitted": (SCORE,),
    "detect.emitted": (LIVE,),
    "detect.state-written": (LIVE,),
    "history.loaded": (HISTORY,),
    "alert.sent": (ALERT,),
}
"""Every place that the code names, and what must die there."""

NTHS = {"spool.before-commit": (1, 2), "spool.after-commit": (1, 2)}
"""At which time a place is deadly, one crash after the other; (1, 1) where nothing stands here."""


def places_in_code() -> set[str]:
    """The names given to `reach` anywhere in the code."""
    folders = ("sentinel", "serving", "tasks", "flows")
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    return {name for path in files for name in CALL.findall(path.read_text())}


@dataclass
class Trial:
    """What happened at one place."""

    place: str
    deaths: Counter[str] = field(default_factory=Counter)  # by what died
    verdict: Verdict = field(default_factory=Verdict)
    wrong: list[str] = field(default_factory=list)


def run_place(
    place: str, folder: Path, fake: FakeElastic | None, *, seed: int, runner: tuple[str, ...] = ("-m",)
) -> Trial:
    """Lines and events through one home, in which whatever PLACES names dies at `place`, twice.

    With `fake` None the store is Parquet.
    """
    nths = NTHS.get(place, (1, 1))
    trial, oracle = Trial(place), Oracle(seed, poison_every=POISON_EVERY if fake else 0)
    if fake is not None:
        fake.forget()
        fake.rules(poison=POISON)
    home = Home(folder, elastic_url=fake.url if fake else None, runner=runner)
    write_lines(home, oracle)
    for verb in (COLLECT, LOAD):
        if verb in PLACES[place]:
            crash(trial, home, verb, nths)
        finish(trial, home, verb)
    if INTAKE in PLACES[place]:
        intake(trial, home, oracle, nths)
        finish(trial, home, LOAD)
    trial.verdict = judge(home, oracle, fake)
    return trial


def run_history(folder: Path, fake: FakeElastic, *, seed: int) -> Trial:
    """A history in Parquet files is moved to Elasticsearch by runs that die on the way."""
    (place,) = (place for place, who in PLACES.items() if HISTORY in who)
    trial, oracle = Trial(place), Oracle(seed, poison_every=0)
    fake.forget()
    home = Home(folder)
    write_lines(home, oracle)
    for verb in (COLLECT, LOAD):
        finish(trial, home, verb)
    home.environment["ELASTIC_ADDR"] = fake.url
    for _ in range(2):
        code, _ = run_verb(home, LOAD, "--from-parquet", LOG_SENTINEL_FAILPOINT=f"{place}:kill:1")
        trial.deaths[HISTORY] += code == KILLED
    for _ in range(2):
        code, _ = run_verb(home, LOAD, "--from-parquet")
        if code != 0:
            trial.wrong.append(f"load --from-parquet ended with {code}: {home.log_tail(1500)}")
    trial.verdict = oracle.judge(documents(home, fake), [])
    return trial


def finish(trial: Trial, home: Home, verb: str) -> None:
    """Run a verb without harm."""
    code, _ = run_verb(home, verb)
    if code != 0:
        trial.wrong.append(f"{verb} ended with {code} after the crashes: {home.log_tail(1500)}")


def write_lines(home: Home, oracle: Oracle) -> None:
    """A log file with lines of the oracle."""
    numbers = oracle.issue(FILES, LINES)
    lines = b"".join(line_of(oracle.event(FILES, number)) for number in numbers)
    (home.watched / "app.log").write_bytes(lines)
    oracle.acknowledge(FILES, numbers)


def crash(trial: Trial, home: Home, verb: str, nths: tuple[int, ...]) -> None:
    """Let a verb die at the place, and again when it recovers."""
    for nth in nths:
        code, _ = run_verb(home, verb, LOG_SENTINEL_FAILPOINT=f"{trial.place}:kill:{nth}")
        if code == KILLED:
            trial.deaths[verb] += 1
        elif code != 0:
            trial.wrong.append(f"{verb} ended with {code} with a failpoint at its {nth}. time: {home.log_tail(1500)}")


def intake(trial: Trial, home: Home, oracle: Oracle, nths: tuple[int, ...]) -> None:
    """Send a batch to a server that dies at the place, again and a new one to the next, until all are acknowledged."""
    server, batches = Server(home), list[range]()
    for nth in (*nths, None):
        batches.append(oracle.issue(HTTP, REQUEST))
        oracle.refused(issued=1)
        server.start(**({} if nth is None else {"LOG_SENTINEL_FAILPOINT": f"{trial.place}:kill:{nth}"}))
        answers = [send(server, oracle, numbers) for numbers in batches]
        assert server.process is not None
        if nth is None:
            trial.wrong += [f"the last try was answered {answer}" for answer in answers if answer != 202]
            server.stop()
        elif set(answers) == {202}:
            server.kill()
        elif server.process.wait(20) == KILLED:
            trial.deaths[INTAKE] += 1
    for numbers in batches:
        oracle.acknowledge(HTTP, numbers)
        oracle.refused(acknowledged=1)


def send(server: Server, oracle: Oracle, numbers: range) -> int | str:
    """Send a batch with a bad document once the server is ready; "cut" where it died first."""
    assert server.process is not None
    if server.process.poll() is not None:
        return "cut"
    try:
        server.wait_ready()
    except RuntimeError:
        if server.process.poll() == KILLED:
            return "cut"
        raise
    link = Link(server.port)
    try:
        body = body_of([oracle.event(HTTP, number) for number in numbers], bad_at=3)
        return link.post("/logs", body, f"key-{numbers.start}")[0]
    finally:
        link.close()


def judge(home: Home, oracle: Oracle, fake: FakeElastic | None) -> Verdict:
    """The oracle's verdict on the store, and on dead letters and books as the spool tells them."""
    with Spool.open(home.home / "spool", min_free_bytes=1) as spool:
        letters = [spool.letter(EVENTS, letter.sequence) for letter in spool.dead_letters(EVENTS, limit=10**6)]
        books = spool.ledger()
    dead = ["nothing is left of it" if letter is None else str(letter["message"][0]) for letter in letters]
    verdict = oracle.judge(documents(home, fake), dead)
    oracle.balance(verdict, {name: getattr(books, name) for name in BOOKS})
    return verdict
