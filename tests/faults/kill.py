"""R1: the server, the flows' verbs and both at once are killed with SIGKILL at random times while all of it works.

`sentinel collect` and `sentinel load`, run one after another without end as plain processes, stand for the flows.
"""

import random
import subprocess
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from tests.faults.fake_control import FakeElastic
from tests.faults.load import Clients, Writer
from tests.faults.oracle import FILES, HTTP, POISON, Oracle, Verdict
from tests.faults.processes import Home, Server, run_verb, start_verb

__all__ = ["ODDS", "Outcome", "Verbs", "drain", "run"]

ODDS = ((0.03, {"fault": "reset"}), (0.03, {"fault": "lost"}), (0.02, {"fault": "status", "status": 429}))
OUTAGE_S = (0.5, 2.0)
DRAIN_S = 180.0
LETTERS_A_CALL = 500


class Verbs:
    """`collect` and `load` in turns, each a process of its own, until stopped."""

    def __init__(self, home: Home, *, verbs: tuple[str, ...] = ("collect", "load")) -> None:
        self._home, self._verbs = home, verbs
        self._lock = threading.Lock()
        self._current: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self.codes: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Start taking turns."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for the verb in work, then run no more."""
        self._stopped.set()
        self._thread.join()

    def kill(self) -> bool:
        """SIGKILL whatever verb runs right now; whether there was one."""
        with self._lock:
            if self._current is None or self._current.poll() is not None:
                return False
            self._current.kill()
            return True

    def _run(self) -> None:
        while not self._stopped.is_set():
            for verb in self._verbs:
                process = start_verb(self._home, verb, "--json")
                with self._lock:
                    self._current = process
                process.communicate()
                self.codes[f"{verb} {process.returncode}"] += 1
                self._stopped.wait(0.05)


@dataclass
class Outcome:
    """A run's figures and verdict."""

    seed: int
    kills: Counter[str] = field(default_factory=Counter)
    rotations: int = 0
    outages: int = 0
    ready_s: list[float] = field(default_factory=list)
    took_s: float = 0.0
    drain_s: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    fake: dict[str, int] = field(default_factory=dict)
    verdict: Verdict = field(default_factory=Verdict)

    def figures(self) -> dict[str, object]:
        """All figures as plain values."""
        plain = {name: dict(value) if isinstance(value, Counter) else value for name, value in vars(self).items()}
        slowest = max(self.ready_s, default=0.0)
        return plain | {"ready_s": round(slowest, 2), "verdict": self.verdict.counts()}


def run(
    folder: Path,
    *,
    seed: int,
    kills: int,
    http_events: int,
    file_lines: int,
    gap_s: tuple[float, float] = (0.3, 3.0),
    packing: bool = False,
    runner: tuple[str, ...] = ("-m",),
) -> Outcome:
    """One whole run; `gap_s` lies between a start and the next kill. Events are paced to last as long as the kills."""
    dice, oracle, outcome, began = random.Random(seed), Oracle(seed), Outcome(seed), time.monotonic()
    with FakeElastic(seed=seed) as fake:
        fake.odds(*ODDS)
        fake.rules(poison=POISON)
        home = Home(folder, elastic_url=fake.url, runner=runner)
        server, verbs = Server(home), Verbs(home)
        server.start()
        server.wait_ready()
        expected_s = max(1.0, kills * (sum(gap_s) / 2 + 2.0))
        clients = Clients(oracle, server.port, total=http_events, rate=lambda: http_events / expected_s * 1.5)
        writer = Writer(
            oracle, home.watched, total=file_lines, per_second=file_lines / expected_s * 1.2, packing=packing
        )
        for part in (clients, writer, verbs):
            part.start()
        try:
            while sum(outcome.kills.values()) < kills or not (clients.is_done and writer.is_done):
                _harm(dice, fake, server, verbs, outcome, gap_s)
        finally:
            for part in (clients, writer):
                part.stop() if outcome.kills.total() < kills else None
                part.join()
            verbs.stop()
        outcome.drain_s = drain(home, server, fake)
        outcome.took_s, outcome.rotations = time.monotonic() - began, writer.rotations
        outcome.ready_s, outcome.answers, outcome.codes = server.ready_s, oracle.answers, verbs.codes
        assert not clients.failures, clients.failures
        outcome.verdict = judge(oracle, home, server, fake)
        outcome.fake = fake.stats()
        server.stop()
    return outcome


def _harm(
    dice: random.Random,
    fake: FakeElastic,
    server: Server,
    verbs: Verbs,
    outcome: Outcome,
    gap_s: tuple[float, float],
) -> None:
    """Wait a while, then kill something; sometimes Elasticsearch is away for a moment too."""
    is_outage = dice.random() < 0.2
    if is_outage:
        fake.down()
        outcome.outages += 1
    time.sleep(dice.uniform(*gap_s))
    target = dice.choice(("server", "server", "verb", "both"))
    if target in ("verb", "both"):
        outcome.kills["verb"] += verbs.kill()
    if target in ("server", "both"):
        server.kill()
        outcome.kills["server"] += 1
        server.start()
        if dice.random() < 0.25:  # killed again while it recovers
            time.sleep(dice.uniform(0.05, 1.0))
            server.kill()
            outcome.kills["server"] += 1
            server.start()
        server.wait_ready()
    if is_outage:
        time.sleep(dice.uniform(*OUTAGE_S))
        fake.up()


def drain(home: Home, server: Server, fake: FakeElastic | None, *, timeout_s: float = DRAIN_S) -> float:
    """End all faults, collect what is left of the files, wait until nothing waits; seconds it took."""
    began = time.monotonic()
    if fake is not None:
        fake.odds()
        fake.up()
    while True:
        code, output = run_verb(home, "collect", "--json")
        assert code == 0, home.log_tail()
        if not orjson.loads(output)["received"]:
            break
    while time.monotonic() - began < timeout_s:
        if not ledger_of(server)["waiting"]:
            return time.monotonic() - began
        time.sleep(0.1)
    raise AssertionError(f"not drained within {timeout_s} s: {ledger_of(server)} {home.log_tail()}")


def ledger_of(server: Server) -> dict[str, object]:
    """The ledger that GET /status shows."""
    ledger = server.status()["ledger"]
    assert isinstance(ledger, dict)
    return ledger


def dead_messages(home: Home) -> list[str]:
    """The messages of all dead letters. Raises AssertionError where one has no reason."""
    code, output = run_verb(home, "dead-letters", "list", "--limit", "1000000", "--json")
    assert code == 0, home.log_tail()
    letters = [orjson.loads(line) for line in output.splitlines()]
    assert all(letter["reason"] for letter in letters), letters
    messages = []
    for start in range(0, len(letters), LETTERS_A_CALL):
        sequences = [str(letter["sequence"]) for letter in letters[start : start + LETTERS_A_CALL]]
        code, output = run_verb(home, "dead-letters", "show", *sequences, "--json")
        assert code == 0, home.log_tail()
        messages += [str(orjson.loads(line)["record"]["message"]) for line in output.splitlines()]
    return messages


def judge(oracle: Oracle, home: Home, server: Server, fake: FakeElastic) -> Verdict:
    """The oracle's verdict on what the fake holds, the dead letters and the ledger."""
    verdict = oracle.judge([row for row in fake.dump() if "-events-" in str(row[0])], dead_messages(home))
    oracle.balance(verdict, ledger_of(server))
    stats = fake.stats()
    wrong = {name: stats[name] for name in ("duplicates", "differing", "overwritten", "without_id") if stats[name]}
    verdict.books += [f"the store saw {wrong}"] if wrong else []
    issued = oracle.issued(HTTP) + oracle.issued(FILES)
    assert issued == verdict.issued
    return verdict
