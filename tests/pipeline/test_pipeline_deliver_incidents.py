"""Incidents go to the store as they grow, under their own id, and nothing of the books depends on them."""

from sentinel.pipeline.deliver_incidents import deliver_incidents, prune_incidents
from sentinel.pipeline.incidents import Wanted, change_state, keep, list_incidents
from sentinel.pipeline.parts import Sentinel
from sentinel.store import MemoryStore
from tests.pipeline.test_pipeline_words import NOW_S, anomalies


def happen(sentinel: Sentinel, address: str, lines: int) -> None:
    frame = anomalies(lines, address=address)
    keep(sentinel.spool, frame, [address] * lines)


def test_the_store_has_the_newest_form_of_each(sentinel: Sentinel, store: MemoryStore) -> None:
    """While it is away they wait; what grows later is replaced; what the store has is not offered again."""
    happen(sentinel, "203.0.113.9", 5)
    store.away = "for a test"
    refused = deliver_incidents(sentinel.spool, store)
    store.away = None
    books = sentinel.spool.ledger()

    first = deliver_incidents(sentinel.spool, store)
    happen(sentinel, "203.0.113.10", 3)
    (newest, other) = list_incidents(sentinel.spool, Wanted())
    change_state(sentinel.spool, other.id, "acknowledged")
    second = deliver_incidents(sentinel.spool, store)

    shown = {incident.id: incident.shown() for incident in list_incidents(sentinel.spool, Wanted())}
    assert "for a test" in str(refused)
    assert (first, second) == (None, None)
    assert store.incidents([newest.id, other.id]) == shown
    assert sentinel.spool.incidents.undelivered() == []
    assert sentinel.spool.ledger() == books


def test_old_ones_are_pruned_with_the_retention(sentinel: Sentinel, store: MemoryStore) -> None:
    """Past their days they go; without a retention none does."""
    happen(sentinel, "203.0.113.9", 5)
    deliver_incidents(sentinel.spool, store)

    assert prune_incidents(store, 0, NOW_S + 1e9) == 0
    assert prune_incidents(store, 30, NOW_S + 86_400) == 0
    assert prune_incidents(store, 30, NOW_S + 40 * 86_400) == 1
