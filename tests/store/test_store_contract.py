"""One contract, three stores: memory, Parquet files, and a real Elasticsearch."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, EVENTS, RECORD_SCHEMA
from sentinel.store import MemoryStore, Search, Store, open_store
from tests.store.store_records import START, anomalies, records, strange_records

NOTHING_FITS = (
    {"source": "nobody"},
    {"level": "fatal"},
    {"text": "password failed"},
    {"since": START + timedelta(days=1)},
    {"until": START},
)


class StoreContract:
    """What every store promises."""

    def read(self, store: Store, **wanted: object) -> pl.DataFrame:
        store.refresh()
        frames = list(store.scan(**wanted))  # type: ignore[arg-type]
        return pl.concat(frames) if frames else pl.DataFrame(schema=RECORD_SCHEMA)

    def sequences(self, store: Store, **wanted: object) -> list[int]:
        return self.read(store, **wanted)["sequence"].to_list()

    def pruned(self, store: Store, before: datetime, wanted: int) -> int:
        """How many incidents went, asked again until a store that shows them late has shown them (30 s at most)."""
        gone, until_s = 0, time.monotonic() + 30
        while gone < wanted and time.monotonic() < until_s:
            gone += store.prune_incidents(before)
        return gone

    def test_setup_changes_nothing_when_repeated(self, store: Store) -> None:
        """The first setup says what it made, the second that all is there."""
        store.setup()

        assert store.setup() == []

    def test_store_is_reachable_and_empty_when_new(self, store: Store) -> None:
        """A new store answers, holds nothing, and gives nothing back."""
        store.setup()

        assert store.health().reachable
        assert (store.count(), store.count(ANOMALIES)) == (0, 0)
        assert list(store.scan()) == list(store.scan(stream=ANOMALIES)) == list(store.scan(newest=5)) == []

    def test_incidents_are_replaced_by_newer_versions_alone(self, store: Store) -> None:
        """The newest version of an incident stays, whatever the order in which they come; old ones can be pruned."""
        store.setup()

        def version(number: int) -> tuple[str, int, dict[str, object]]:
            return "00aa11bb22cc33dd", number, {"last": "2026-11-27T12:00:00.000Z", "lines": number, "state": "open"}

        store.put_incidents([version(2)])
        store.put_incidents([version(3), ("00aa11bb22cc33de", 1, version(1)[2])])
        store.put_incidents([version(1)])
        store.refresh()

        assert store.incidents(["00aa11bb22cc33dd", "00aa11bb22cc3300"]) == {"00aa11bb22cc33dd": version(3)[2]}
        assert store.prune_incidents(START) == 0
        assert self.pruned(store, START + timedelta(days=40), 2) == 2
        assert store.incidents(["00aa11bb22cc33dd"]) == {}

    def test_write_delivers_all_when_all_is_well(self, store: Store) -> None:
        """Each record is delivered, none is to be offered again, none is dead."""
        outcome = store.write(records(100))

        assert (outcome.delivered.sum(), outcome.retry.sum(), outcome.dead, outcome.error) == (100, 0, {}, None)
        store.refresh()
        assert store.count() == 100

    def test_scan_gives_back_what_was_written(self, store: Store) -> None:
        """Every column of every record comes back as it was, in the order of sequences."""
        written = records(300)

        store.write(written)

        assert_frame_equal(self.read(store), written)

    def test_scan_gives_back_strange_text_and_times(self, store: Store) -> None:
        """Control characters, separators, long texts, and times before 1970 or far ahead come back as they were."""
        written = strange_records()

        outcome = store.write(written)

        assert outcome.dead == {}
        assert_frame_equal(self.read(store), written)

    def test_anomalies_are_a_stream_of_their_own(self, store: Store) -> None:
        """Anomalies come back with their verdict, and are not among the events."""
        written = anomalies(20)

        store.write(written, stream=ANOMALIES)

        assert_frame_equal(self.read(store, stream=ANOMALIES), written)
        assert list(written.columns) == [*RECORD_SCHEMA, *ANOMALY_COLUMNS]
        assert (store.count(EVENTS), store.count(ANOMALIES)) == (0, 20)

    def test_repeat_changes_nothing(self, store: Store) -> None:
        """The same records again are delivered again, and are there once."""
        written = records(50)
        store.write(written)

        outcome = store.write(written)

        assert outcome.delivered.all()
        assert_frame_equal(self.read(store), written)
        assert store.count() == 50

    def test_another_record_under_a_known_id_is_dead(self, store: Store) -> None:
        """It never counts as delivered, and never replaces what is there; its neighbours are written."""
        written = records(50)
        store.write(written)
        changed = [3, 20, 49]
        is_changed = pl.Series([row in changed for row in range(50)])
        offered = written.with_columns(
            message=pl.when(is_changed).then(pl.lit("another one")).otherwise("message"),
            raw=pl.when(is_changed).then(pl.lit("another one")).otherwise("raw"),
        )

        outcome = store.write(pl.concat([offered, records(10, first=100)]))

        assert sorted(outcome.dead) == changed
        assert all(reason.startswith("id_conflict: ") for reason in outcome.dead.values())
        assert (outcome.delivered.sum(), outcome.retry.sum()) == (57, 0)
        assert_frame_equal(self.read(store), pl.concat([written, records(10, first=100)]))

    def test_ids_that_meet_from_two_spools_are_compared(self, store: Store) -> None:
        """The same line of another spool (after a repair, of a second home) is there once; another line is dead."""
        written = records(20)
        store.write(written)
        other = written.with_columns(
            spool=pl.lit("fedcba9876543210"),
            sequence=pl.col("sequence") + 500,
            received=pl.col("received") + timedelta(days=1),
        )
        is_changed = pl.Series([row % 2 == 1 for row in range(20)])
        other = other.with_columns(
            raw=pl.when(is_changed).then(pl.lit("another line")).otherwise("raw"),
        )

        outcome = store.write(other)

        assert sorted(outcome.dead) == list(range(1, 20, 2))
        assert outcome.delivered.sum() == 10
        assert_frame_equal(self.read(store), written)

    def test_one_id_twice_in_a_write_is_compared(self, store: Store) -> None:
        """Two records with one id in one batch: the first is written, the second is dead unless it is the same."""
        twins = pl.concat([records(1), records(1), records(1).with_columns(raw=pl.lit("another"), message=pl.lit("x"))])
        twins = twins.with_columns(sequence=pl.Series([1, 2, 3], dtype=pl.Int64))

        outcome = store.write(twins)

        assert sorted(outcome.dead) == [2]
        assert outcome.delivered.tolist() == [True, True, False]
        assert self.read(store)["event_id"].to_list() == records(1)["event_id"].to_list()

    def test_time_that_stands_in_is_no_part_of_what_was_said(self, store: Store) -> None:
        """A line without a time, read again later, is the same line."""
        first = records(10).with_columns(timestamp=pl.col("received").cast(pl.Datetime("ns", "UTC")))
        later = first.with_columns(
            received=pl.col("received") + timedelta(hours=3), spool=pl.lit("fedcba9876543210")
        ).with_columns(timestamp=pl.col("received").cast(pl.Datetime("ns", "UTC")))
        store.write(first)

        assert store.write(later).delivered.all()

    def test_repeat_with_another_cut_changes_nothing(self, store: Store) -> None:
        """A batch that overlaps those before it adds only what is new."""
        written = records(100)
        for first, last in ((0, 30), (20, 60), (10, 25), (55, 100), (0, 100)):
            assert store.write(written[first:last]).delivered.all()

        assert_frame_equal(self.read(store), written)
        assert store.count() == 100

    def test_empty_frame_is_written(self, store: Store) -> None:
        """Nothing in, nothing out, no error."""
        outcome = store.write(records(0))

        assert (len(outcome.delivered), len(outcome.retry), outcome.dead) == (0, 0, {})

    def test_records_of_several_partitions_and_spools_are_kept(self, store: Store) -> None:
        """One write may hold many; a scan gives them by spool and sequence."""
        first = records(10, partition="2026.10")
        second = records(10, first=11)
        other = records(10, spool="fedcba9876543210")
        mixed = pl.concat([second, other, first])

        store.write(mixed)

        assert_frame_equal(self.read(store), mixed.sort("spool", "sequence"))
        assert_frame_equal(self.read(store, spool="fedcba9876543210"), other)

    def test_unusable_partition_or_id_is_dead(self, store: Store) -> None:
        """A record without a usable place is dead with the reason; its neighbours are delivered."""
        bad = pl.Series(["2026.11", "../../etc", "2026.11\n", "2026.11", "all", "ALL"])
        frame = records(6).with_columns(partition=bad)
        frame = frame.with_columns(event_id=pl.when(pl.col("sequence") == 4).then(pl.lit("")).otherwise("event_id"))

        outcome = store.write(frame)

        assert sorted(outcome.dead) == [1, 2, 3, 5]
        assert "partition" in outcome.dead[1]
        assert "event id" in outcome.dead[3]
        assert outcome.delivered.tolist() == [True, False, False, False, True, False]
        assert self.sequences(store) == [1, 5]

    def test_event_time_narrows_the_scan(self, store: Store) -> None:
        """`since` is kept, `until` is not."""
        store.write(records(10))

        moment = START + timedelta(milliseconds=4)

        assert self.sequences(store, since=moment) == [4, 5, 6, 7, 8, 9, 10]
        assert self.sequences(store, until=moment) == [1, 2, 3]
        assert self.sequences(store, since=moment, until=moment + timedelta(milliseconds=2)) == [4, 5]
        assert self.sequences(store, since=moment.replace(tzinfo=None)) == [4, 5, 6, 7, 8, 9, 10]

    def test_arrival_narrows_the_scan(self, store: Store) -> None:
        """`received_since` is kept."""
        store.write(records(10))

        moment = START + timedelta(hours=1, milliseconds=8)

        assert self.sequences(store, received_since=moment) == [8, 9, 10]

    def test_sequences_narrow_the_scan(self, store: Store) -> None:
        """Closed ranges in any order, also more than a query takes at once; no range: nothing."""
        store.write(records(3000))

        many = [(number, number) for number in range(2, 3001, 2)]

        assert self.sequences(store, sequences=[(7, 9), (3, 3), (2999, 9999)]) == [3, 7, 8, 9, 2999, 3000]
        assert self.sequences(store, sequences=many[::-1]) == list(range(2, 3001, 2))
        assert self.sequences(store, sequences=[]) == []

    def test_newest_are_taken_by_arrival(self, store: Store) -> None:
        """The newest by arrival, whatever their own time says, given in the order of sequences."""
        late = records(5, first=11).with_columns(
            timestamp=pl.lit(START - timedelta(days=900)).cast(pl.Datetime("ns", "UTC"))
        )
        store.write(pl.concat([records(10), late]))

        assert self.sequences(store, newest=7) == [9, 10, 11, 12, 13, 14, 15]
        assert self.sequences(store, newest=100) == list(range(1, 16))
        assert self.sequences(store, newest=2, until=START - timedelta(days=1)) == [14, 15]

    def test_slices_are_the_whole_once(self, store: Store) -> None:
        """The slices of one scan hold each record once."""
        store.write(records(500))

        parts = [self.sequences(store, slice_of=(part, 3)) for part in range(3)]

        assert sorted(sequence for part in parts for sequence in part) == list(range(1, 501))
        assert all(len(part) > 50 for part in parts)

    def test_batches_are_no_larger_than_asked(self, store: Store) -> None:
        """A scan gives frames of bounded size, in order."""
        store.write(records(2500))
        store.refresh()

        frames = list(store.scan(batch_rows=700))

        assert max(frame.height for frame in frames) <= 700
        assert pl.concat(frames)["sequence"].to_list() == list(range(1, 2501))

    def test_existing_ids_are_found(self, store: Store) -> None:
        """Those that are there, and only those, of the stream that is asked."""
        written = records(10)
        store.write(written)
        store.refresh()

        assert store.existing_ids([*written["event_id"], "none-such"]) == set(written["event_id"])
        assert store.existing_ids(written["event_id"].to_list(), stream=ANOMALIES) == set()
        assert store.existing_ids([]) == set()

    def test_prune_deletes_whole_old_partitions(self, store: Store) -> None:
        """Only what comes before the named partition goes; `all` never does."""
        for number, partition in enumerate(("2025.12", "2026.10", "2026.11", "all")):
            store.write(records(3, first=1 + 10 * number, partition=partition))

        gone = store.prune("2026.11")

        assert [name[-7:] for name in gone] == ["2025.12", "2026.10"]
        assert set(self.read(store)["partition"]) == {"2026.11", "all"}
        assert store.prune("2026.11") == []

    def test_find_gives_the_newest_that_fit_first(self, store: Store) -> None:
        """Words in any case, one after the other and the last perhaps cut, narrow; so do source, level and time."""
        store.write(records(500))
        store.refresh()

        newest = store.find(Search(limit=3))
        cut = store.find(Search(text="FAILED password for ro", level="warn", limit=500))
        none = [store.find(Search(**narrow)).height for narrow in NOTHING_FITS]

        assert newest["sequence"].to_list() == [500, 499, 498]
        assert newest.schema == RECORD_SCHEMA
        assert set(cut["level"]) == {"warn"}
        assert cut.height == len([n for n in range(1, 501) if n % 3 == 1])
        assert none == [0] * len(NOTHING_FITS)

    def test_find_narrows_anomalies_by_score(self, store: Store) -> None:
        """Only anomalies of at least that score are found."""
        store.write(anomalies(50), stream=ANOMALIES)
        store.refresh()

        found = store.find(Search(ANOMALIES, min_score=0.5045))

        assert found["anomaly_score"].min() >= 0.5045
        assert found.height == 5

    def test_histogram_counts_each_event_in_its_span(self, store: Store) -> None:
        """Spans begin at `start`; what lies before or after all of them is not counted; repeats count once."""
        store.write(records(500))
        store.write(records(100))
        store.refresh()

        by_tenth = store.histogram(Search(), start=START, bucket_s=0.1, buckets=6)
        early = store.histogram(Search(level="info"), start=START, bucket_s=0.03, buckets=1)
        empty = store.histogram(Search(source="nobody"), start=START, bucket_s=60, buckets=2)

        assert by_tenth == [99, 100, 100, 100, 100, 1]
        assert early == [9]
        assert empty == [0, 0]

    def test_two_thousand_field_names_do_no_harm(self, store: Store) -> None:
        """Attributes may be named as they like: all are kept."""
        many = "{" + ",".join(f'"field_{number}":"{number}"' for number in range(2000)) + "}"
        written = records(2).with_columns(attributes=pl.lit(many))

        outcome = store.write(written)

        assert outcome.delivered.all()
        assert_frame_equal(self.read(store), written)

    def test_attribute_with_a_huge_key_or_value_is_kept(self, store: Store) -> None:
        """No attribute is too long, be it a key."""
        long = "é" * 20_000
        written = records(2).with_columns(attributes=pl.Series([f'{{"{long}":"v"}}', f'{{"k":"{long}"}}']))

        outcome = store.write(written)

        assert outcome.dead == {}
        assert_frame_equal(self.read(store), written)


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestParquetStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        return open_store(addr=None, index="unused", folder=tmp_path / "store")


class TestElasticStore(StoreContract):
    @pytest.fixture
    def store(self, elastic_url: str, elastic_index: str, tmp_path: Path) -> Iterator[Store]:
        store = open_store(addr=elastic_url, index=elastic_index, folder=tmp_path)
        yield store
        store.prune("9999.99")
        remove_indices(elastic_url, elastic_index)
        store.close()


def remove_indices(url: str, index: str) -> None:
    """Take away what a test made."""
    from elasticsearch import Elasticsearch

    with Elasticsearch(url) as client:
        names = client.indices.get(index=f"{index}-*", features="aliases").body
        for name in names:
            client.indices.delete(index=name, ignore_unavailable=True)
        client.options(ignore_status=404).indices.delete_index_template(name=f"{index}-*")
