"""Damage: one bad batch costs that batch, a bad file costs a repair, and neither is passed over in silence."""

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from sentinel.errors import TerminalError
from sentinel.records import ANOMALIES, EVENTS, Checkpoint
from sentinel.spool import Spool, SpoolDamagedError

ROOT = Path(__file__).parents[2]
CHECKPOINT = Checkpoint("gen0000000", "/logs/a.log", 1, 2, 300, 10, "h", 20, "g", "live", 5.0)


def change(folder: Path, statement: str, *values: object) -> None:
    """Damage a row behind the spool's back."""
    connection = sqlite3.connect(folder / "spool.db")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def flip(folder: Path, first: int, column: str = "blob") -> None:
    """Flip one bit in the batch that begins at `first`."""
    connection = sqlite3.connect(folder / "spool.db")
    (content,) = connection.execute(f"SELECT {column} FROM batches WHERE first = ?", (first,)).fetchone()
    connection.close()
    damaged = bytearray(content if isinstance(content, bytes) else content.encode())
    damaged[len(damaged) // 2] ^= 1
    change(folder, f"UPDATE batches SET {column} = ? WHERE first = ?", bytes(damaged), first)


@pytest.fixture
def filled(folder, make_records, append, deliver):
    """A closed spool of 60 events in batches of ten, 25 of them delivered, one dead."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        for first in range(0, 60, 10):
            append(spool, make_records(10, first=first, sources=("a", "b")))
        deliver(spool, 25, {7: "poison"})
        with spool.transaction() as tx:
            tx.put_checkpoints([CHECKPOINT])
            tx.count_rejected({("a", "bad"): 2})
    return folder


@pytest.mark.parametrize("column", ["blob", "codes", "sources"])
def test_corrupt_batch_is_set_aside_and_reading_goes_on(filled, deliver, column):
    """The damaged batch counts as dead, its neighbours are read, the books hold, verify names it."""
    flip(filled, 31, column)

    with Spool.open(filled, min_free_bytes=0) as spool:
        assert "31…40 is corrupt" in " ".join(spool.verify())
        found = spool.read(EVENTS, 25, 100)["sequence"].to_list()
        assert found == [*range(26, 31), *range(41, 61)]
        books = spool.ledger()
        assert (books.delivered, books.waiting, books.dead) == (24, 25, 11)
        assert books.accepted == books.delivered + books.waiting + books.dead
        deliver(spool, 60)
        assert (spool.ledger().delivered, spool.ledger().waiting) == (49, 0)
        (finding,) = [text for text in spool.verify() if "quarantine" in text]
        assert "31…40" in finding
        assert [(row.first, row.last, row.dead) for row in spool.quarantined()] == [(31, 40, 10)]
        if column == "blob":
            assert spool.verify() == [finding]


def test_corrupt_batch_half_delivered_loses_only_its_rest(filled):
    """Of a batch that goes bad in the middle of its delivery, what was delivered stays delivered."""
    flip(filled, 21)

    with Spool.open(filled, min_free_bytes=0) as spool:
        assert spool.read(EVENTS, 25, 100)["sequence"][0] == 31
        assert spool.position("deliver").sequence == 30
        books = spool.ledger()
        assert (books.delivered, books.waiting, books.dead) == (24, 30, 6)
        assert books.is_balanced


def test_reader_reaches_the_mark_when_the_last_batch_is_corrupt(filled, deliver):
    """A corrupt batch at the end does not keep a drain waiting for it."""
    flip(filled, 51)

    with Spool.open(filled, min_free_bytes=0) as spool:
        assert spool.read(EVENTS, 25, 100).height == 25
        deliver(spool, 50)
        assert spool.position("deliver").sequence == spool.last_sequence(EVENTS) == 60


def test_batch_found_corrupt_by_detect_is_dead_once(filled, deliver):
    """Quarantine by another reader counts what deliver still had to do, and deliver passes it."""
    flip(filled, 41)

    with Spool.open(filled, min_free_bytes=0) as spool:
        for _ in range(2):
            spool.read(EVENTS, 0, 100)
        deliver(spool, 45)
        assert spool.position("deliver").sequence == 50
        deliver(spool, 60)
        books = spool.ledger()
        assert (books.delivered, books.waiting, books.dead) == (49, 0, 11)


def test_corrupt_dead_letter_dies_again_when_it_is_replayed(filled):
    """A letter whose record is damaged is not offered to the store; it stays dead and says why."""
    change(filled, "UPDATE letters SET blob = x'00'")

    with Spool.open(filled, min_free_bytes=0) as spool:
        assert "dead letter events 7 is corrupt" in " ".join(spool.verify())
        assert spool.replay(EVENTS) == 1
        assert spool.replays(EVENTS).is_empty()
        (letter,) = spool.dead_letters()
        assert (letter.state, letter.reason) == ("dead", "corrupt record")
        assert spool.ledger().is_balanced


def test_corrupt_state_is_not_handed_out(filled, spool):
    """A damaged state is as good as none, and verify names it."""
    with spool.transaction() as tx:
        tx.put_blob("detector", b"fine")
    change(filled, "UPDATE blobs SET blob = x'00'")

    assert spool.blob("detector") is None
    assert any("detector is corrupt" in finding for finding in spool.verify())


def test_wrong_books_are_named(filled):
    """Verify recounts: a counter that is off by one is found."""
    for statement in (
        "UPDATE books SET waiting = waiting + 1 WHERE source = 'a'",
        "UPDATE streams SET next_sequence = next_sequence + 1 WHERE name = 'events'",
        "UPDATE streams SET received = received - 1 WHERE name = 'events'",
        "UPDATE streams SET waiting_bytes = waiting_bytes - 1 WHERE name = 'events'",
        "DELETE FROM batches WHERE first = 41",
    ):
        with Spool.open(filled, min_free_bytes=0) as spool:
            before = spool.verify()
            change(filled, statement)
            assert len(spool.verify()) > len(before), statement


def zero_header(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.write(bytes(100))


def zero_first_page(file: Path) -> None:
    with file.open("r+b") as handle:
        handle.write(bytes(8192))


def zero_root(file: Path, table: str) -> None:
    """Wipe the page that leads to all others of a table."""
    connection = sqlite3.connect(file)
    (root,) = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content = bytearray(file.read_bytes())
    content[(root - 1) * size : root * size] = bytes(size)
    file.write_bytes(content)


def make_garbage(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(file.stat().st_size))


def cut_to_nothing(file: Path) -> None:
    file.write_bytes(b"")


def remove(file: Path) -> None:
    file.unlink()


@pytest.mark.parametrize("damage", [zero_header, zero_first_page, make_garbage, cut_to_nothing, remove])
def test_damaged_file_is_refused_and_repaired(filled, damage, make_records, append, deliver):
    """Opening says what to run; the repair makes a spool that works, with the old file kept."""
    damage(filled / "spool.db")
    with pytest.raises(SpoolDamagedError, match="sentinel spool repair"):
        Spool.open(filled, min_free_bytes=0)
    before = (filled / "spool.db").read_bytes() if (filled / "spool.db").exists() else None

    done = Spool.repair(filled, clock=lambda: 1_000.0)

    assert done.kept_aside is not None
    if before is not None:
        assert (done.kept_aside / "spool.db").read_bytes() == before
    with Spool.open(filled, min_free_bytes=0) as spool:
        assert [text for text in spool.verify() if "quarantine" not in text] == []
        assert spool.ledger().is_balanced
        span = append(spool, make_records(3, first=900))
        deliver(spool, span.last)
        assert spool.ledger().waiting == 0


@pytest.mark.parametrize("damage", [zero_header, zero_first_page])
def test_repair_keeps_everything_when_only_the_first_page_is_gone(filled, damage, make_records):
    """Records, positions, letters, checkpoints and books come through the loss of header and schema."""
    with Spool.open(filled, min_free_bytes=0) as spool:
        old_id, old_books = spool.id, spool.ledger()
    damage(filled / "spool.db")

    done = Spool.repair(filled)

    assert done.lost_records == 0
    with Spool.open(filled, min_free_bytes=0) as spool:
        assert spool.id != old_id
        assert spool.ledger() == old_books
        assert spool.position("deliver").sequence == 25
        assert spool.read(EVENTS, 25, 100)["event_id"].equals(make_records(60)["event_id"][25:])
        assert [row.sequence for row in spool.dead_letters()] == [7]
        assert spool.checkpoints() == [CHECKPOINT]
        assert spool.verify() == []


def test_repair_says_lost_and_not_delivered_when_positions_and_batches_are_gone(filled):
    """What the books say waited, and nobody finds, counts as dead."""
    change(filled, "DELETE FROM batches")
    change(filled, "UPDATE readers SET sequence = 0")
    zero_header(filled / "spool.db")

    done = Spool.repair(filled)

    with Spool.open(filled, min_free_bytes=0) as spool:
        books = spool.ledger()
        assert (books.accepted, books.delivered, books.waiting, books.dead) == (60, 24, 0, 36)
        assert [text for text in spool.verify() if "quarantine" not in text] == []
    assert done.lost_records == 35


def test_repair_finds_batches_whose_way_in_is_gone(folder, make_records, append, deliver):
    """A damaged page above them costs none of the records below it: they are found page by page."""
    with Spool.open(folder, min_free_bytes=0) as spool:
        for first in range(0, 40_000, 100):
            append(spool, make_records(100, first=first, sources=("a", "b")))
        deliver(spool, 250)
    zero_root(folder / "spool.db", "batches")

    done = Spool.repair(folder)

    assert done.lost_records == 0
    with Spool.open(folder, min_free_bytes=0) as spool:
        assert spool.ledger().waiting == 40_000 - 250
        assert spool.read(EVENTS, 39_950, 100)["event_id"].equals(make_records(50, first=39_950)["event_id"])
        assert spool.verify() == []


def test_repair_of_a_whole_spool_changes_nothing(filled):
    """A spool that is fine is left alone, id and all."""
    with Spool.open(filled, min_free_bytes=0) as spool:
        before = spool.id

    assert Spool.repair(filled).kept_aside is None
    with Spool.open(filled, min_free_bytes=0) as spool:
        assert spool.id == before


def test_repair_is_refused_while_the_spool_is_open(filled):
    """Nobody repairs under a running server; and nobody opens during a repair."""
    with Spool.open(filled), pytest.raises(TerminalError, match="stop them first"):
        Spool.repair(filled)


def test_repair_goes_on_when_it_was_broken_off(filled):
    """A repair killed before its new file was in place is taken up from the files it had put aside."""
    zero_first_page(filled / "spool.db")
    script = (
        "import sys, os, signal; from pathlib import Path\n"
        "from sentinel.spool import Spool, repair\n"
        "from unittest.mock import patch\n"
        "with patch.object(Path, 'replace', lambda *a: os.kill(os.getpid(), signal.SIGKILL)):\n"
        "    Spool.repair(Path(sys.argv[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(filled)], cwd=ROOT, check=False).returncode == -9
    with pytest.raises(SpoolDamagedError, match="broken off"):
        Spool.open(filled)

    assert Spool.repair(filled).lost_records == 0
    with Spool.open(filled, min_free_bytes=0) as spool:
        assert spool.ledger().waiting == 35
        assert spool.verify() == []


@pytest.mark.parametrize("seed", range(12))
def test_random_damage_never_loops_and_never_lies(folder, make_records, append, deliver, seed):
    """Pages zeroed, torn or flipped anywhere: opening or repairing ends with whole records and balanced books."""
    chance = random.Random(seed)
    with Spool.open(folder, min_free_bytes=0) as spool:
        for first in range(0, 300, 10):
            append(spool, make_records(10, first=first, message=chance.randbytes(900).hex(), sources=("a", "b")))
        deliver(spool, 95, {7: "poison"})
        deliver(spool, 60, reader="detect")
        spool.prune()
        truth = dict(
            zip(spool.read(EVENTS, 0, 1_000)["sequence"], spool.read(EVENTS, 0, 1_000)["message"], strict=True)
        )
    file = folder / "spool.db"
    content = bytearray(file.read_bytes())
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(0, len(content), 8192)
        kind = chance.choice(["zero", "flip", "cut"])
        if kind == "zero":
            content[at : at + 8192] = bytes(len(content[at : at + 8192]))
        elif kind == "flip" and at < len(content):
            content[at + chance.randrange(min(8192, len(content) - at))] ^= 1 << chance.randrange(8)
        elif kind == "cut" and at > 8192:
            del content[at + chance.randrange(8192) :]
    file.write_bytes(content)

    try:
        with Spool.open(folder, min_free_bytes=0) as spool:
            spool.read(EVENTS, 0, 1_000)
            is_broken = any("damaged" in text for text in spool.verify())
    except SpoolDamagedError:
        is_broken = True
    if is_broken:
        Spool.repair(folder)
    with Spool.open(folder, min_free_bytes=0) as spool:
        found = spool.read(EVENTS, 0, 1_000)
        for sequence, message in zip(found["sequence"], found["message"], strict=True):
            assert truth[sequence] == message
        if is_broken:
            assert spool.ledger().is_balanced
            assert [text for text in spool.verify() if "quarantine" not in text] == []
        span = append(spool, make_records(1, first=999))
        assert span.first > 300 or is_broken


def test_export_gives_all_that_is_there(filled):
    """Export reads from the oldest batch on disk to the newest, delivered ones too."""
    with Spool.open(filled, min_free_bytes=0) as spool:
        frames = list(spool.export(EVENTS, max_records=7))

        assert sum(frame.height for frame in frames) == 60
        assert max(frame.height for frame in frames) == 7
        assert list(spool.export(ANOMALIES)) == []


def test_file_of_a_newer_version_is_refused(filled):
    """An older program does not touch what a newer one wrote."""
    change(filled, "PRAGMA user_version = 99")

    with pytest.raises(TerminalError, match="newer version"):
        Spool.open(filled)
