"""Incidents beside the anomalies: replaced as they grow, bounded, and there in a spool of the release before."""

import sqlite3
from pathlib import Path

import pytest

from sentinel.spool import KEEP_INCIDENTS, IncidentRow, Spool
from sentinel.spool.schema import LATER


def row(number: int, *, version: int = 1, state: str = "open", last_s: float | None = None) -> IncidentRow:
    last_s = 100.0 + number if last_s is None else last_s
    return IncidentRow(f"i{number:05d}", last_s - 50.0, last_s, state, version, b'{"n":%d}' % number)


def put(spool: Spool, *rows: IncidentRow) -> None:
    with spool.transaction() as tx:
        tx.put_incidents(rows)


def test_incident_is_replaced_by_a_newer_version_only(tmp_path: Path) -> None:
    """What grows stays one row; an older version that comes late changes nothing."""
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as spool:
        put(spool, row(1), row(2))
        put(spool, row(1, version=3, state="acknowledged", last_s=900.0))
        put(spool, row(1, version=2))

        assert [(found.id, found.version) for found in spool.incidents.newest()] == [("i00001", 3), ("i00002", 1)]
        assert spool.incidents.get("i00001") == row(1, version=3, state="acknowledged", last_s=900.0)
        assert spool.incidents.get("nobody") is None
        assert [found.id for found in spool.incidents.newest(since_s=500.0)] == ["i00001"]


def test_states_are_counted_and_listed_apart(tmp_path: Path) -> None:
    """Without a state all; ties of the last line by the id, the greater first."""
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as spool:
        put(spool, row(1, last_s=500.0), row(2, last_s=500.0), row(3, state="muted"))

        assert [found.id for found in spool.incidents.newest()] == ["i00002", "i00001", "i00003"]
        assert [found.id for found in spool.incidents.newest(state="open")] == ["i00002", "i00001"]
        assert [found.id for found in spool.incidents.newest(400.0, state="muted")] == []
        assert [spool.incidents.count(state) for state in ("open", "muted", "resolved")] == [2, 1, 0]


def test_active_are_those_that_touch_the_span(tmp_path: Path) -> None:
    """First and last line decide, oldest first; inside of the transaction that will change them."""
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as spool:
        put(spool, *(row(number, last_s=1_000.0 * number) for number in range(1, 6)))

        with spool.transaction() as tx:
            found = tx.active_incidents(2_000.0, 3_960.0)

    assert [incident.id for incident in found] == ["i00002", "i00003", "i00004"]


def test_version_is_offered_to_the_store_until_it_is_there(tmp_path: Path) -> None:
    """A change after the delivery is offered again; what was noted twice stays noted."""
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as spool:
        put(spool, row(1), row(2))
        first = spool.incidents.undelivered()
        spool.incidents.note_delivered(first)
        spool.incidents.note_delivered(first)
        assert spool.incidents.undelivered() == []

        put(spool, row(2, version=2))

        assert [found.version for found in spool.incidents.undelivered()] == [2]
        assert len(first) == 2


def test_incidents_are_bounded_and_grow_old(tmp_path: Path) -> None:
    """The newest are kept, and none for longer than it is asked for."""
    with Spool.open(tmp_path / "spool", min_free_bytes=1) as spool:
        put(spool, *(row(number) for number in range(KEEP_INCIDENTS + 20)))

        assert spool.incidents.prune() == 20
        assert spool.incidents.prune(before_s=100.0 + KEEP_INCIDENTS) == KEEP_INCIDENTS - 20
        assert len(spool.incidents.newest()) == 20


@pytest.mark.parametrize("has_records", [False, True])
def test_spool_of_the_release_before_gets_the_table(tmp_path: Path, has_records: bool) -> None:
    """Opening it is enough; what it holds stays."""
    folder = tmp_path / "spool"
    with Spool.open(folder, min_free_bytes=1) as spool:
        if has_records:
            with spool.transaction() as tx:
                tx.put_blob("state", b"kept")
    with sqlite3.connect(folder / "spool.db") as connection:
        for table in LATER:
            connection.execute(f"DROP TABLE {table}")
    connection.close()

    with Spool.open(folder, min_free_bytes=1) as spool:
        put(spool, row(1))

        assert spool.incidents.get("i00001") == row(1)
        assert spool.blob("state") == (b"kept" if has_records else None)
