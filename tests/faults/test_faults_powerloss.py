"""R3: what was acknowledged survives a power cut, whatever the disk forgets of what was not synced."""

import random
from pathlib import Path

import pytest

from tests.faults import powerloss
from tests.faults.disk import Disk, Inode, unsynced_writes
from tests.faults.trace import Operation, compiler

pytestmark = pytest.mark.skipif(compiler() is None, reason="no C compiler to build the shim with")

HISTORIES = 50
CUTS = 10
SEED = 20261123


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> powerloss.Findings:
    return powerloss.run(tmp_path_factory.mktemp("cuts"), seed=SEED, count=HISTORIES, cuts=CUTS)


@pytest.mark.slow
def test_every_cut_leaves_an_acknowledged_state(findings: powerloss.Findings) -> None:
    """After a cut the spool opens, is whole, shows the last acknowledged state (or the one under way), and works on."""
    assert findings.wrong == []
    assert (findings.histories, findings.states) == (HISTORIES, HISTORIES * CUTS)


@pytest.mark.slow
def test_histories_are_worth_their_name(findings: powerloss.Findings) -> None:
    """The histories really write, sync and acknowledge; else the test above proves nothing."""
    assert findings.acknowledgements == HISTORIES * powerloss.STEPS
    assert findings.syncs > findings.acknowledgements
    assert findings.operations > 20 * findings.acknowledgements


def test_unsynced_write_may_be_lost_and_synced_one_never() -> None:
    """The model loses what was not synced, sooner or later, and never what was."""
    inode = Inode(bytearray(b"safe"))
    inode.pending.append((4, b"risk"))

    left = {inode.after_cut(random.Random(seed), mode) for seed in range(20) for mode in ("none", "subset", "all")}
    inode.sync()

    assert left == {b"safe", b"saferisk"}
    assert inode.after_cut(random.Random(0), "none") == b"saferisk"


def test_large_write_is_torn_at_sectors() -> None:
    """Of a write that was not synced, any sectors may be there and others not."""
    inode = Inode()
    inode.pending.append((0, b"x" * 2048))

    left = {inode.after_cut(random.Random(seed), "torn") for seed in range(200)}

    assert b"x" * 512 + bytes(512) + b"x" * 512 in left
    assert len(left) > 8


def test_new_name_is_lost_unless_its_folder_is_synced() -> None:
    """A rename that was not followed by a sync of the folder may not have happened."""
    disk = Disk()
    disk.live["/d"] = disk.safe["/d"] = None
    for kind, path, other in (("C", "/d/t", ""), ("S", "/d/t", ""), ("R", "/d/t", "/d/f")):
        disk.replay(Operation(kind, 0, path, other, b""))

    before = {tuple(sorted(disk.after_cut(random.Random(seed)))) for seed in range(50)}
    disk.replay(Operation("D", 0, "/d", "", b""))
    after = {tuple(sorted(disk.after_cut(random.Random(seed)))) for seed in range(50)}

    assert before == {("/d",), ("/d", "/d/t"), ("/d", "/d/f")}
    assert after == {("/d", "/d/f")}


def test_ack_before_the_sync_is_found_in_the_trace() -> None:
    """An acknowledgement between the write of the log and its sync is told."""
    write, sync = Operation("W", 0, "/d/s.db-wal", "", b"x"), Operation("S", 0, "/d/s.db-wal", "", b"")
    ack = Operation("A", 0, "/d.acks", "", b"1")

    assert unsynced_writes([write, sync, ack], suffix="-wal") == []
    assert len(unsynced_writes([write, ack, sync], suffix="-wal")) == 1


def test_made_folder_survives_a_cut(real_folder: Path) -> None:
    """`make_private_dir` syncs the folder above each folder that it made; else a whole spool could vanish."""
    library = powerloss.build_shim(real_folder)

    trace = powerloss.record(real_folder, library, SEED, 1)
    operations = list(powerloss.read_trace(trace))

    disk = Disk()
    for operation in operations:
        disk.replay(operation)
    made = {one.path for one in operations if one.kind == "M" and "/var" in one.path}
    assert {Path(path).name for path in made} == {"var", "spool"}
    assert made <= set(disk.safe)
