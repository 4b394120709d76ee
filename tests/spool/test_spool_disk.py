"""A disk that is full, slow to be had, or failing: nothing is acknowledged that is not kept, and work goes on after."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel.errors import TransientError
from sentinel.records import EVENTS
from sentinel.spool import Spool
from sentinel.spool import database as databases

ROOT = Path(__file__).parents[2]

ON_FULL_DISK = """
import os, sys
from pathlib import Path
from datetime import datetime, UTC
import polars as pl
from sentinel.errors import TransientError
from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool

def records(n, size):
    now = datetime(2026, 11, 23, tzinfo=UTC)
    columns = {"event_id": [os.urandom(8).hex() for _ in range(n)], "partition": ["p"] * n, "timestamp": [now] * n,
               "received": [now] * n, "message": [os.urandom(size).hex() for _ in range(n)]}
    return pl.DataFrame({k: columns.get(k, [None] * n) for k in RECORD_SCHEMA}, schema=RECORD_SCHEMA)

folder = Path(sys.argv[1])
spool = Spool.open(folder / "spool", min_free_bytes=0)
acked = 0
try:
    while True:
        with spool.transaction() as tx:
            span = tx.append(records(20, 2000))
        acked = span.last
except TransientError as exc:
    print("refused", type(exc).__name__)
filler = folder / "filler"
with filler.open("wb", buffering=0) as file:  # not a byte is left
    try:
        while True:
            file.write(bytes(512))
    except OSError:
        pass
for _ in range(3):
    try:
        with spool.transaction() as tx:
            tx.append(records(1, 10))
        raise SystemExit("accepted on a full disk")
    except TransientError:
        pass
assert spool.last_sequence("events") == acked, (spool.last_sequence("events"), acked)
seen = after = 0
while (frame := spool.read("events", after, 100)).height:
    for attempt in range(3):
        try:
            with spool.lease("deliver") as lease, spool.transaction() as tx:
                tx.move(lease, int(frame["sequence"][-1]))
            break
        except TransientError as exc:
            print("again", exc, file=sys.stderr)
    else:
        raise SystemExit("cannot move on a full disk")
    after = int(frame["sequence"][-1])
    seen += frame.height
assert seen == acked
for attempt in range(3):
    try:
        spool.prune(keep_bytes=0)
        break
    except TransientError as exc:
        print("again", exc, file=sys.stderr)
else:
    raise SystemExit("cannot prune on a full disk")
with spool.transaction() as tx:
    span = tx.append(records(1, 10))
assert span.first == acked + 1
assert spool.ledger().is_balanced
assert spool.verify() == [], spool.verify()
print("drained", seen)
"""


def test_really_full_disk_refuses_appends_and_can_be_drained(tmp_path):
    """On a disk without a free byte appends are refused, reading, moving and pruning go on, and appends come back."""
    mount = tmp_path / "disk"
    mount.mkdir()
    script = f'mount -t tmpfs -o size=16m tmpfs "{mount}" && exec "{sys.executable}" -c "$SCRIPT" "{mount}"'
    unshare = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    if subprocess.run(
        [*unshare, "sh", "-c", f'mount -t tmpfs tmpfs "{mount}"'], check=False, capture_output=True
    ).returncode:
        pytest.skip("this machine lets nobody mount a small disk")

    done = subprocess.run(
        [*unshare, "sh", "-c", script],
        env={**os.environ, "SCRIPT": ON_FULL_DISK},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "drained" in done.stdout


class FailingConnection(sqlite3.Connection):
    """A real connection whose statements fail by script."""

    failing = ""
    closed = 0

    def execute(self, sql, *parameters):
        if FailingConnection.failing and sql.startswith(FailingConnection.failing):
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR | (4 << 8)  # SQLITE_IOERR_FSYNC
            error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
            raise error
        return super().execute(sql, *parameters)

    def close(self):
        FailingConnection.closed += 1
        super().close()


@pytest.fixture
def failing(monkeypatch):
    """Lets the statements that begin with `failing.failing` fail."""
    connect = sqlite3.connect
    monkeypatch.setattr(databases.sqlite3, "connect", lambda *a, **k: connect(*a, **k, factory=FailingConnection))
    FailingConnection.failing, FailingConnection.closed = "", 0
    yield FailingConnection
    FailingConnection.failing = ""


def test_failed_commit_is_not_acknowledged_and_its_connection_is_given_up(folder, failing, make_records, append):
    """After a COMMIT that failed nothing of it is there, and the next one runs on a new connection."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        append(spool, make_records(2))
        failing.failing, closed = "COMMIT", failing.closed
        with pytest.raises(TransientError, match="SQLITE_IOERR_FSYNC"):
            append(spool, make_records(3))
        failing.failing = ""

        assert failing.closed == closed + 1
        assert spool.last_sequence(EVENTS) == 2
        assert append(spool, make_records(1)).first == 3
        assert spool.verify() == []


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO batches", "UPDATE streams"])
def test_append_that_fails_half_way_leaves_nothing(folder, failing, make_records, append, statement):
    """Whichever statement fails, the transaction is undone as a whole and can be tried again."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        failing.failing = statement
        with pytest.raises(TransientError):
            append(spool, make_records(3))
        failing.failing = ""

        assert append(spool, make_records(3)).first == 1
        assert spool.verify() == []


def test_failed_read_is_transient(folder, failing, make_records, append):
    """A read that fails for now raises a TransientError, and the next one works."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        append(spool, make_records(3))
        failing.failing = "SELECT id, stream"
        with pytest.raises(TransientError, match="read events"):
            spool.read(EVENTS, 0, 10)
        failing.failing = ""
        assert spool.read(EVENTS, 0, 10).height == 3


def test_writer_that_waits_too_long_is_told_so(folder, monkeypatch, make_records, append):
    """While somebody else holds the write lock an append ends with a TransientError, and works afterwards."""
    monkeypatch.setattr(databases, "BUSY_TIMEOUT_S", 0.05)
    with Spool.open(folder, min_free_bytes=0) as spool:
        blocker = sqlite3.connect(folder / "spool.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        with pytest.raises(TransientError, match="locked"):
            append(spool, make_records(1))
        assert spool.read(EVENTS, 0, 1).is_empty()
        blocker.execute("ROLLBACK")
        blocker.close()
        assert append(spool, make_records(1)).first == 1


def test_folder_that_cannot_be_made_is_named(tmp_path):
    """A path that is no folder is a clear error."""
    (tmp_path / "file").write_text("")

    with pytest.raises(TransientError, match="file"):
        Spool.open(tmp_path / "file" / "spool")


def test_every_commit_is_synced_to_the_disk(folder, failing, make_records, append):
    """Write-ahead log and synchronous=FULL on each writing connection, also on one opened after a failure."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        for _ in range(2):
            with spool._database.writing("look") as connection:
                assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
                assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
                assert connection.execute("PRAGMA auto_vacuum").fetchone() == (2,)
            failing.failing = "COMMIT"
            with pytest.raises(TransientError):
                append(spool, make_records(1))
            failing.failing = ""


def test_sync_happens_before_the_acknowledgement(tmp_path):
    """In the trace of system calls a sync of the log lies between its last write and the acknowledgement."""
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    script = (
        "import os, sys; from pathlib import Path; from sentinel.spool import Spool\n"
        "spool = Spool.open(Path(sys.argv[1]), min_free_bytes=0)\n"
        "for i in range(5):\n"
        "    with spool.transaction() as tx: tx.put_blob('x', b'y')\n"
        "    os.write(1, b'ACK')\n"
    )
    trace = tmp_path / "trace"
    watched = "trace=pwrite64,write,fsync,fdatasync"
    done = subprocess.run(
        ["strace", "-f", "-y", "-e", watched, "-o", trace, sys.executable, "-c", script, tmp_path / "spool"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("this machine does not let a process be traced")

    calls = [line for line in trace.read_text().splitlines() if "spool.db-wal" in line or '"ACK"' in line]
    acks = [i for i, line in enumerate(calls) if '"ACK"' in line]
    assert len(acks) == 5
    for i in acks:
        assert "sync(" in calls[i - 1]
