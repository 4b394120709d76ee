"""Small, quick versions of the gates, to be run on the product and on its mutants: `python -m tests.faults.gates GATE`.

Exit code 0: green. 1: red, with what was wrong on standard output.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from tests.faults import crash_points, powerloss
from tests.faults.bulk_matrix import CASES, run_case
from tests.faults.fake_control import FakeElastic
from tests.faults.keys import WAYS, run_way
from tests.faults.load import Link
from tests.faults.oracle import HTTP, Oracle, body_of
from tests.faults.processes import Home, Server, run_verb
from tests.faults.stored import documents

__all__ = ["GATES"]

MATRIX = (
    "D1 mixed 201, 429 and 400",
    "D2 429 inside a 200, many times",
    "D8 applied, then reset",
    "D8 applied in part, then reset",
    "connection refused",
    "D9 ids of other documents",
)
TWINS = 50
ACKED_BATCHES = 3

Runner = tuple[str, ...]


def bulk(folder: Path, runner: Runner) -> list[str]:
    """R6: some answers of the matrix, in this process."""
    wrong = []
    with FakeElastic() as fake:
        for number, case in enumerate(case for case in CASES if case.name in MATRIX):
            wrong += [f"{case.name}: {what}" for what in run_case(case, fake, folder / str(number)).wrong]
    return wrong


def cuts(folder: Path, runner: Runner) -> list[str]:
    """R3: a few histories."""
    return powerloss.run(folder, seed=5, count=4, cuts=25, runner=runner).wrong


def place(name: str) -> Callable[[Path, Runner], list[str]]:
    """R2: one place."""

    def gate(folder: Path, runner: Runner) -> list[str]:
        with FakeElastic() as fake:
            trial = crash_points.run_place(name, folder, fake, seed=3, runner=runner)
        return trial.wrong + ([] if trial.verdict.passed else [trial.verdict.explain()])

    return gate


def acks(folder: Path, runner: Runner) -> list[str]:
    """R1: the server is killed at the very moment of each 202."""
    oracle = Oracle(17, poison_every=0)
    with FakeElastic() as fake:
        home = Home(folder, elastic_url=fake.url, runner=runner)
        server = Server(home)
        for _ in range(ACKED_BATCHES):
            server.start()
            server.wait_ready()
            numbers = oracle.issue(HTTP, 20)
            link = Link(server.port)
            status, answer = link.post("/logs", body_of([oracle.event(HTTP, n) for n in numbers], None), None)
            server.kill()
            link.close()
            if status == 202:
                oracle.acknowledge(HTTP, numbers)
            else:
                return [f"POST /logs answered {status}: {answer[:200]!r}"]
        code, _ = run_verb(home, "load")
        verdict = oracle.judge(documents(home, fake), [])
    return [] if code == 0 and verdict.passed else [f"load ended with {code}; {verdict.explain()}"]


def twins(folder: Path, runner: Runner) -> list[str]:
    """Equal lines are events of their own, from a file and over HTTP, within a request and across requests."""
    line = {"timestamp": "2026-11-01T00:00:00Z", "level": "error", "message": "Failed password", "source": "sshd"}
    with FakeElastic() as fake:
        home = Home(folder, elastic_url=fake.url, runner=runner)
        (home.watched / "a.log").write_bytes(b"".join([orjson.dumps(line) + b"\n"] * TWINS))
        server = Server(home)
        server.start()
        server.wait_ready()
        link = Link(server.port)
        for _ in range(2):
            link.post("/logs", orjson.dumps([line] * TWINS), None)
        link.close()
        server.stop()
        codes = [run_verb(home, verb)[0] for verb in ("collect", "load")]
        found = len(documents(home, fake))
    return [] if (codes, found) == ([0, 0], 3 * TWINS) else [f"exit codes {codes}, {found} of {3 * TWINS} documents"]


def keys(folder: Path, runner: Runner) -> list[str]:
    """R14: one key accepted twice, in this process."""
    wrong = []
    with FakeElastic() as fake:
        for number, way in enumerate(WAYS):
            wrong += [f"{way}: {what}" for what in run_way(way, fake, folder / str(number))]
    return wrong


GATES: dict[str, Callable[[Path, Runner], list[str]]] = {
    "bulk": bulk,
    "powerloss": cuts,
    "collect": place("spool.before-append"),
    "deliver": place("spool.after-commit"),
    "intake": place("ingest.committed"),
    "acks": acks,
    "twins": twins,
    "keys": keys,
}


def main(gate: str, mutant: str) -> int:
    """Run one gate on the product ("none") or on a mutant."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        wrong = GATES[gate](Path(folder), ("-m", "tests.faults.mutants", mutant))
    sys.stdout.write("\n".join(wrong[:5]) + f"\n{gate} on {mutant}: {len(wrong)} in {time.monotonic() - began:.1f} s\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
