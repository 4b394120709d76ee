"""What goes in comes out: in order, once, under sequences without a gap, and all or nothing."""

import contextlib
import os
import sqlite3
import stat

import polars as pl
import pytest

from sentinel.errors import SpoolFullError, TerminalError
from sentinel.records import ANOMALIES, EVENTS, RECORD_SCHEMA, Checkpoint
from sentinel.spool import Spool
from sentinel.spool.batches import MAX_BATCH_BYTES
from sentinel.spool.database import PAGE_BYTES
from sentinel.spool.ledger import MAX_REJECTED_PAIRS

CHECKPOINT = Checkpoint("gen0000000", "/logs/a.log", 1, 2, 300, 10, "h", 20, "g", "live", 5.0)


def test_records_come_back_as_they_went_in(spool, make_records, append):
    """Reading gives the appended records, with the spool's id and sequences from 1."""
    frame = make_records(50, sources=("sshd", None, "cron"))

    append(spool, frame)
    found = spool.read(EVENTS, 0, 1000)

    given = {"spool": pl.Series([spool.id] * 50), "sequence": pl.Series(range(1, 51), dtype=pl.Int64)}
    assert found.equals(frame.with_columns(**given).select(RECORD_SCHEMA.keys()))
    assert found.schema == pl.Schema(RECORD_SCHEMA)


def test_sequences_have_no_gap_over_appends_and_restarts(folder, make_records, append):
    """Every append goes on where the last one ended, also after a restart and after one that was undone."""
    spans = []
    for size in (1, 7, 3):
        with Spool.open(folder, min_free_bytes=0) as spool:
            spans.append(append(spool, make_records(size)))
            with pytest.raises(AttributeError), spool.transaction() as tx:  # noqa: PT012 what precedes it is undone
                tx.append(make_records(5))
                tx.no_such_step()

    assert [(span.first, span.last) for span in spans] == [(1, 1), (2, 8), (9, 11)]


def test_streams_are_numbered_apart(spool, make_records, make_anomalies, append):
    """Events and anomalies each have their own sequences and columns."""
    append(spool, make_records(3))
    span = append(spool, make_anomalies(2), ANOMALIES)

    assert (span.first, span.last) == (1, 2)
    assert spool.read(ANOMALIES, 0, 10).height == 2
    assert "reasons" in spool.read(ANOMALIES, 0, 10).columns
    assert (spool.last_sequence(EVENTS), spool.last_sequence(ANOMALIES)) == (3, 2)


def test_read_gives_an_empty_frame_when_nothing_is_there(spool):
    """Nothing to read is a frame with the stream's columns and no rows."""
    assert spool.read(EVENTS, 0, 10).schema == pl.Schema(RECORD_SCHEMA)


@pytest.mark.parametrize(("after", "size"), [(0, 1), (3, 4), (9, 5), (10, 10), (24, 100), (25, 3)])
def test_read_keeps_to_its_bound_wherever_it_begins(spool, make_records, append, after, size):
    """A read begins right after the given sequence and ends at its bound, over batches of any size."""
    for n in (10, 1, 14):
        append(spool, make_records(n, first=spool.last_sequence(EVENTS)))

    found = spool.read(EVENTS, after, size)["sequence"].to_list()

    assert found == list(range(after + 1, min(25, after + size) + 1))


def test_read_keeps_to_its_bytes_when_batches_are_big(spool, make_records, append):
    """Of batches bigger than the bound one is read, never none."""
    for _ in range(3):
        append(spool, make_records(100, message="x" * 1000))

    assert spool.read(EVENTS, 0, 1000, 1).height == 100
    assert spool.read(EVENTS, 0, 1000, 2**30).height == 300


def test_big_frame_is_cut_into_small_batches(spool, make_records, append):
    """No row of the spool holds more than 4 MiB of records, and the order stays."""
    append(spool, make_records(3_000, message="x" * 5_000))

    first = spool.read(EVENTS, 0, 10_000, 1)
    assert first.estimated_size() <= MAX_BATCH_BYTES * 1.01
    everything = spool.read(EVENTS, 0, 10_000, 2**30)
    assert everything["sequence"].to_list() == list(range(1, 3_001))
    assert everything["message"][2_999].endswith("2999")


def test_checkpoints_and_lines_are_kept_together_or_not_at_all(spool, make_records):
    """When the transaction is undone, neither the lines nor the checkpoint that covers them are there."""
    with pytest.raises(AttributeError), spool.transaction() as tx:  # noqa: PT012 what precedes the error is undone
        tx.append(make_records(3))
        tx.put_checkpoints([CHECKPOINT])
        tx.no_such_step()

    assert spool.checkpoints() == []
    assert spool.last_sequence(EVENTS) == 0
    with spool.transaction() as tx:
        tx.append(make_records(3))
        tx.put_checkpoints([CHECKPOINT])
    assert spool.checkpoints() == [CHECKPOINT]


def test_frame_with_foreign_columns_is_refused(spool, make_records):
    """A missing column or a wrong type is named, and nothing is kept."""
    wrong = make_records(1).drop("message").with_columns(offset=pl.lit("7"))

    with pytest.raises(TerminalError, match=r"message is missing, offset is String"), spool.transaction() as tx:
        tx.append(wrong)
    with pytest.raises(TerminalError, match="empty"), spool.transaction() as tx:
        tx.append(make_records(0))


def test_append_is_refused_at_the_bound_and_taken_again_after_delivery(folder, make_records, append, deliver):
    """At the bound nothing more is accepted, nothing accepted is lost, and delivery makes room."""
    with Spool.open(folder, max_bytes=200_000, min_free_bytes=0) as spool:
        with pytest.raises(SpoolFullError, match="200000 bytes"):  # noqa: PT012 some appends fit
            for first in range(0, 10_000, 100):
                append(spool, make_records(100, first=first, message=os.urandom(2_000).hex()))
        kept = spool.last_sequence(EVENTS)
        assert spool.ledger().waiting == kept > 0
        assert spool.ledger().bytes <= 200_000

        deliver(spool, kept)
        assert append(spool, make_records(1)).first == kept + 1
        assert spool.ledger().is_balanced


def test_events_at_their_bound_leave_room_for_anomalies(folder, make_records, make_anomalies, append):
    """A flood of events does not shut out the anomalies found in it."""
    with Spool.open(folder, max_bytes=100_000, min_free_bytes=0) as spool:
        with pytest.raises(SpoolFullError):  # noqa: PT012 some appends fit
            while True:
                append(spool, make_records(50, message=os.urandom(500).hex()))
        append(spool, make_anomalies(1), ANOMALIES)


def test_append_is_refused_when_the_disk_is_nearly_full(folder, make_records, append, deliver):
    """Below the free space that is to stay nothing is accepted; reading, moving and pruning go on."""
    free = 10**9
    with Spool.open(folder, min_free_bytes=10**6, free=lambda _: free) as spool:
        append(spool, make_records(5))
        free = 10**6
        with pytest.raises(SpoolFullError, match="free on the disk"):
            append(spool, make_records(1))
        deliver(spool, spool.read(EVENTS, 0, 10).height)
        deliver(spool, 5, reader="detect")
        assert spool.prune() == 5


def test_files_are_private_whatever_the_umask(folder, make_records, append):
    """Folder 0700, files 0600, also when the umask would give them to everybody or to nobody."""
    for name, umask in (("open", 0), ("closed", 0o277)):
        before = os.umask(umask)
        try:
            with Spool.open(folder / name, min_free_bytes=0) as spool:
                append(spool, make_records(1))
                with spool.lease("deliver"):
                    spool.prune()
                    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder / name).iterdir()}
        finally:
            os.umask(before)
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o700
        assert {"spool.db", "spool.db-wal", "spool.id"} <= modes.keys()
        assert modes.pop("spool.id") & 0o177 == 0
        assert set(modes.values()) == {0o600}


def test_id_is_made_once(folder):
    """A spool keeps its id; another one has another."""
    ids = []
    for name in ("a", "a", "b"):
        with Spool.open(folder / name) as spool:
            ids.append(spool.id)

    assert ids[0] == ids[1] != ids[2]


def test_transaction_inside_another_is_refused_when_it_would_wait_for_itself(spool):
    """A second transaction in the same thread raises at once instead of waiting for ever."""
    with pytest.raises(RuntimeError, match="already"), spool.transaction(), spool.transaction():
        pass


def test_rejected_lines_are_counted_by_source_and_reason(spool, make_records, append):
    """received = accepted + rejected, with the reasons."""
    append(spool, make_records(4))
    for _ in range(2):
        with spool.transaction() as tx:
            tx.count_rejected({("/logs/a", "no message"): 2, ("10.0.0.1", "bad UTF-8"): 1})

    books = spool.ledger()
    assert (books.received, books.rejected, books.accepted) == (10, 6, 4)
    assert books.rejected_by == {("/logs/a", "no message"): 4, ("10.0.0.1", "bad UTF-8"): 2}
    assert books.is_balanced


def test_place_of_a_rejected_line_is_no_part_of_its_reason(spool):
    """Four hundred cut-off lines of one request are one reason."""
    with spool.transaction() as tx:
        tx.count_rejected({("10.0.0.1", f"line {i} column {i + 7}: no JSON: cut off"): 1 for i in range(400)})

    assert spool.ledger().rejected_by == {("10.0.0.1", "no JSON: cut off"): 400}


def test_number_of_sources_is_bounded(spool, make_records, append, deliver, monkeypatch):
    """Beyond the bound sources share the name "other", and the books still hold when they are delivered."""
    monkeypatch.setattr("sentinel.spool.ledger.MAX_SOURCES", 1_000)
    append(spool, make_records(1_500, sources=tuple(f"app-{i}" for i in range(1_500))))
    append(spool, make_records(2, first=2_000, sources=("app-1400", "app-3")))
    with spool.transaction() as tx:
        tx.count_rejected({(f"10.0.0.{i}", "bad"): 1 for i in range(MAX_REJECTED_PAIRS + 50)})

    deliver(spool, 1_200, {1_100: "poison"})
    books = spool.ledger()

    assert len(books.by_source) == 1_001
    assert books.accepted == 1_502
    assert books.is_balanced
    assert len(books.rejected_by) <= MAX_REJECTED_PAIRS + 1
    assert books.rejected == MAX_REJECTED_PAIRS + 50
    assert spool.verify() == []


def test_biggest_sources_keep_their_names(spool, make_records, append, deliver, monkeypatch):
    """A flood of names takes no place from a source with many records: pruning folds the smallest delivered ones."""
    monkeypatch.setattr("sentinel.spool.ledger.MAX_SOURCES", 100)
    append(spool, make_records(60, sources=("big",)))
    append(spool, make_records(300, first=1_000, sources=tuple(f"junk-{i}" for i in range(300))))
    deliver(spool, 360, {5: "poison"})
    spool.prune()
    append(spool, make_records(9, first=2_000, sources=("new",)))

    books = spool.ledger()
    named = {row.source: row.accepted for row in books.by_source}
    assert (named["big"], named["new"]) == (60, 9)
    assert len(named) <= 82
    assert books.is_balanced
    assert spool.verify() == []


def test_sources_that_wait_are_never_folded(spool, make_records, append, monkeypatch):
    """What is still to be delivered keeps its books: the move that delivers it finds them."""
    monkeypatch.setattr("sentinel.spool.ledger.MAX_SOURCES", 100)
    append(spool, make_records(100, sources=tuple(f"app-{i}" for i in range(100))))

    spool.prune()

    assert len(spool.ledger().by_source) == 100


def test_statements_of_an_append_do_not_grow_with_its_sources(spool, make_records):
    """Half a thousand names or one: the same handful of statements under the lock, one for each source at most."""
    statements = dict[int, int]()
    for n_sources in (1, 500):
        packed = spool.pack()
        packed.add(make_records(1_000, first=5_000 * n_sources, sources=tuple(f"s{i}" for i in range(n_sources))))
        with spool.transaction() as tx:
            seen: list[str] = []
            tx._connection.set_trace_callback(seen.append)
            tx.append(packed)
            tx._connection.set_trace_callback(None)
        statements[n_sources] = len([text for text in seen if "INTO books" not in text])

    assert statements[1] == statements[500] <= 4


def test_pieces_made_ready_apart_are_one_append(spool, make_records):
    """Slices of one body get sequences without a gap, all or none of them."""
    packed = spool.pack()
    for first in (0, 100, 200):
        packed.add(make_records(100, first=first, sources=("a", "b")))

    with spool.transaction() as tx:
        span = tx.append(packed)

    assert (span.first, span.last) == (1, 300)
    assert spool.read(EVENTS, 0, 1_000)["event_id"].to_list() == make_records(300)["event_id"].to_list()
    assert {row.source: row.waiting for row in spool.ledger().by_source} == {"a": 150, "b": 150}
    assert spool.verify() == []


def test_answers_are_found_again_by_client_and_key(spool):
    """An answer is kept for its client and key, as long as it is young enough, and the newest counts."""
    with spool.transaction() as tx:
        tx.remember_answer("10.0.0.1", "k", "digest", b"first", 100.0)
        tx.remember_answer("10.0.0.2", "k", "digest2", b"other", 100.0)

    found = spool.answer("10.0.0.1", "k", 50.0)
    assert found is not None
    assert (found.digest, found.answer, found.at_s) == ("digest", b"first", 100.0)
    assert spool.answer("10.0.0.1", "k", 101.0) is None
    assert spool.answer("10.0.0.3", "k", 0.0) is None


def test_answer_is_found_after_many_others(spool):
    """However many keys come after it, an answer is there until its day is over."""
    with spool.transaction() as tx:
        tx.remember_answer("c", "first", "d", b"", 100.0)
        for i in range(100_001):
            tx.remember_answer("c", str(i), "d", b"", 101.0)

    assert spool.answer("c", "first", 0.0) is not None


def test_answers_have_a_bound_in_bytes(folder, make_records, append):
    """Answers and waiting events together reach the bound; from there on only answers are refused."""
    with Spool.open(folder, max_bytes=40_000, min_free_bytes=0) as spool:
        kept = 0
        with spool.transaction() as tx, contextlib.suppress(SpoolFullError):
            for kept in range(1_000):
                tx.remember_answer("10.0.0.1", f"a key of some length {kept}", "d" * 64, b'{"accepted":1}', 100.0)
        with spool.transaction() as tx, pytest.raises(SpoolFullError, match="SPOOL_MAX_MB"):
            tx.remember_answer("10.0.0.1", "one more", "d" * 64, b"", 100.0)

        append(spool, make_records(5))
        assert 40_000 / 200 <= kept <= 40_000 / 150
        assert spool.answer("10.0.0.1", "a key of some length 0", 0.0) is not None

        spool.prune(now_s=100.0 + 86_401)
        with spool.transaction() as tx:
            tx.remember_answer("10.0.0.1", "k", "d" * 64, b"", 86_500.0)


def test_answers_take_the_bytes_they_are_said_to(spool, folder):
    """An answer with a key of 255 characters costs no more than 200 bytes of disk, both of its indexes included."""
    count = 20_000
    with spool.transaction() as tx:
        for i in range(count):
            tx.remember_answer("192.168.100.200", f"{i:0255d}", f"{i:064x}", b'{"accepted":1}', 1e9 + i)
    spool.prune(now_s=0.0)

    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
    assert pages * PAGE_BYTES / count <= 205  # an empty spool's tables and the freelist are in it


def test_answer_of_an_older_version_is_found(spool, folder):
    """0.1 kept client and key in full; for the day after an upgrade they are still known."""
    with contextlib.closing(sqlite3.connect(folder / "spool.db")) as connection:
        connection.execute("INSERT INTO answers VALUES (NULL, '10.0.0.1', 'k', 'd', 100.0, x'7b7d')")
        connection.commit()

    found = spool.answer("10.0.0.1", "k", 50.0)

    assert found is not None
    assert found.digest == "d"


def test_state_is_replaced_by_name(spool):
    """The newest state of a name is the one that is found; there is none of another name."""
    for content in (b"one", b"two"):
        with spool.transaction() as tx:
            tx.put_blob("detector", content)

    assert spool.blob("detector") == b"two"
    assert spool.blob("other") is None


def test_scored_ranges_are_merged_when_they_touch(spool):
    """Ranges of one model that overlap or touch become one; other models are left alone."""
    with spool.transaction() as tx:
        for version, first, last in (("a", 1, 5), ("a", 10, 12), ("b", 6, 6), ("a", 6, 7), ("a", 9, 9), ("a", 20, 30)):
            tx.add_scored(version, first, last)
        tx.add_scored("a", 22, 25)

    assert spool.scored() == [("a", 1, 7), ("a", 9, 12), ("a", 20, 30), ("b", 6, 6)]
    assert spool.scored("b") == [("b", 6, 6)]
    with spool.transaction() as tx:
        tx.add_scored("a", 8, 19)
    assert spool.scored("a") == [("a", 1, 30)]
