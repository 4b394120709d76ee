"""Books by source: each row balances as the whole does."""

from sentinel.pipeline.overview import BOOKS, source_books
from sentinel.spool import Ledger, SourceBooks


def test_books_of_each_source_balance() -> None:
    """received = rejected + accepted and accepted = delivered + waiting + dead, in each row and in their sum."""
    ledger = Ledger(
        received=22,
        rejected=5,
        accepted=17,
        delivered=10,
        waiting=4,
        dead=3,
        by_source=(SourceBooks("shop", 12, 7, 4, 1), SourceBooks("127.0.0.1", 5, 3, 0, 2)),
        rejected_by={("127.0.0.1", "message is missing"): 2, ("127.0.0.1", "no"): 1, ("/logs/a.log", "too long"): 2},
        oldest_waiting_s=None,
        bytes=0,
        max_bytes=1,
    )

    rows = source_books(ledger)

    assert [row["source"] for row in rows] == ["shop", "127.0.0.1", "/logs/a.log"]
    for row in (*rows, {name: sum(int(r[name]) for r in rows) for name in BOOKS}):
        assert row["received"] == int(row["rejected"]) + int(row["accepted"])
        assert row["accepted"] == int(row["delivered"]) + int(row["waiting"]) + int(row["dead"])
    assert {name: sum(int(row[name]) for row in rows) for name in BOOKS} == {n: getattr(ledger, n) for n in BOOKS}
