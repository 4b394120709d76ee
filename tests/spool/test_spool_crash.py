"""kill -9: what was acknowledged is there, once, whole, whenever the process died."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentinel.records import EVENTS
from sentinel.spool import Spool

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]

COMMON = """
import os, sys, threading
from pathlib import Path
from datetime import datetime, UTC
import polars as pl
from sentinel import failpoints
from sentinel.records import RECORD_SCHEMA, Checkpoint
from sentinel.spool import Spool, Committer

def records(names):
    n, now = len(names), datetime(2026, 11, 23, tzinfo=UTC)
    columns = {"event_id": names, "partition": ["p"] * n, "timestamp": [now] * n, "received": [now] * n,
               "source": [name[0] for name in names], "message": [f"about {name}" for name in names]}
    return pl.DataFrame({k: columns.get(k, [None] * n) for k in RECORD_SCHEMA}, schema=RECORD_SCHEMA)

def say(word):
    os.write(1, f"{word}\\n".encode())

spool = Spool.open(Path(sys.argv[1]), min_free_bytes=0)
"""

WRITER = (
    COMMON
    + """
committer = Committer(spool)
def write(name):
    for i in range(10**9):
        size = (1, 3, 50)[i % 3]
        names = [f"{name}{sys.argv[2]}-{i}-{k}" for k in range(size)]
        say("try " + " ".join(names))
        committer.submit(lambda tx: tx.append(records(names))).result()
        say("ack " + " ".join(names))
for name in "abc":
    threading.Thread(target=write, args=(name,)).start()
"""
)

# Appends with a checkpoint of the same number, delivers, buries, replays and prunes, and dies at the armed place.
STEPS = (
    COMMON
    + """
if sys.argv[3] != "none":
    failpoints.arm_from_text(sys.argv[3])
for i in range(int(sys.argv[2]), int(sys.argv[2]) + 6):
    names = [f"a{i}-{k}" for k in range(10)]
    with spool.transaction() as tx:
        tx.append(records(names))
        offset = spool.last_sequence("events") + 10
        tx.put_checkpoints([Checkpoint("gen", "/a", 1, 1, offset, 0, "", 0, "", "live", 1.0)])
    say("ack " + " ".join(names))
    with spool.lease("deliver") as lease:
        at = spool.position("deliver").sequence
        frame = spool.read("events", at, 7)
        dead = {int(frame["sequence"][0]): "poison"} if i % 2 else {}
        with spool.transaction() as tx:
            tx.move(lease, int(frame["sequence"][-1]), dead=dead)
        spool.replay("events")
        again = spool.replays("events", 10)
        if again.height:
            with spool.transaction() as tx:
                tx.settle_replay(lease, delivered=again["sequence"].to_list()[:1],
                                 dead=dict.fromkeys(again["sequence"].to_list()[1:], "still"))
    spool.prune(keep_bytes=1000)
spool.close()
"""
)


def acked_and_tried(output: str) -> tuple[set[str], set[str]]:
    acked, tried = set[str](), set[str]()
    for line in output.splitlines():
        word, *names = line.split()
        (acked if word == "ack" else tried).update(names)
    return acked, tried


def test_acknowledged_records_survive_kill_minus_nine(folder, tmp_path):
    """Writers killed at random moments: every acknowledged record is there once, none was never tried."""
    chance, acked, tried = random.Random(7), set[str](), set[str]()
    for life in range(5):
        log = tmp_path / f"log-{life}"
        with log.open("wb") as out:
            writer = subprocess.Popen([sys.executable, "-c", WRITER, str(folder), str(life)], cwd=ROOT, stdout=out)
            wanted = chance.randrange(20, 300)
            while log.read_bytes().count(b"ack") < wanted and writer.poll() is None:
                time.sleep(0.005)
            writer.kill()
            writer.wait()
        more_acked, more_tried = acked_and_tried(log.read_text())
        acked, tried = acked | more_acked, tried | more_tried

    with Spool.open(folder, min_free_bytes=0) as spool:
        found = [name for frame in spool.export(EVENTS) for name in frame["event_id"]]
        assert len(found) == len(set(found)) == spool.last_sequence(EVENTS)
        assert acked <= set(found) <= tried
        assert len(acked) > 100
        assert spool.verify() == []


PLACES = {
    "spool.before-append": 4,
    "spool.after-append": 4,
    "spool.before-commit": 9,
    "spool.after-commit": 9,
    "spool.after-checkpoint": 4,
    "spool.before-move": 4,
    "spool.after-move": 4,
    "spool.before-dead-letter": 2,
    "spool.before-prune": 4,
}


@pytest.mark.parametrize("place", PLACES)
def test_death_at_a_named_place_leaves_whole_books(folder, place):
    """Killed at each place, and again at the same place after the restart: balanced, nothing acknowledged is gone."""
    acked = set[str]()
    for start, armed in ((0, f"{place}:kill:{PLACES[place]}"), (100, f"{place}:kill:2"), (200, "none")):
        run = subprocess.run(
            [sys.executable, "-c", STEPS, str(folder), str(start), armed],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        acked |= acked_and_tried(run.stdout)[0]
        assert run.returncode == (0 if armed == "none" else -9), run.stderr
        with Spool.open(folder, min_free_bytes=0) as spool:
            assert spool.verify() == []
            books = spool.ledger()
            assert books.is_balanced
            assert books.accepted >= len(acked)
            assert [row.offset for row in spool.checkpoints()] == [books.accepted]
