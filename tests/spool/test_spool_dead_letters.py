"""Dead letters: kept with their reasons, listed, replayed, dropped, and in the books at every step."""

import pytest

from sentinel.records import ANOMALIES, EVENTS
from sentinel.spool import DeadLettersFullError, Spool


@pytest.fixture
def buried(spool, make_records, append, deliver):
    """A spool of ten delivered records of which 3, 5 and 8 are dead."""
    append(spool, make_records(10, sources=("a", "b")))
    deliver(spool, 10, {3: "mapping conflict", 5: "id too long", 8: "mapping conflict"})
    return spool


def books(spool):
    ledger = spool.ledger()
    assert ledger.is_balanced
    assert spool.verify() == []
    return ledger.delivered, ledger.waiting, ledger.dead


def test_letters_are_listed_with_their_reasons(buried):
    """Each dead letter keeps which record it was and why it died."""
    letters = buried.dead_letters()

    assert [(row.sequence, row.reason, row.source, row.state) for row in letters] == [
        (3, "mapping conflict", "a", "dead"),
        (5, "id too long", "a", "dead"),
        (8, "mapping conflict", "b", "dead"),
    ]
    assert [row.sequence for row in buried.dead_letters(after=3, limit=1)] == [5]
    assert buried.dead_letters(ANOMALIES) == []
    assert books(buried) == (7, 0, 3)


def test_letter_keeps_the_whole_record_after_its_batch_is_gone(buried, make_records, deliver):
    """A dead letter is shown in full though its batch was pruned."""
    deliver(buried, 10, reader="detect")
    assert buried.prune() == 10

    letter = buried.letter(EVENTS, 5)
    assert letter is not None
    assert letter.drop("spool", "sequence").equals(
        make_records(10, sources=("a", "b")).slice(4, 1).drop("spool", "sequence")
    )
    assert letter["sequence"][0] == 5
    assert buried.letter(EVENTS, 4) is None


def test_replayed_letters_wait_and_are_delivered(buried):
    """A replayed letter waits, is offered to the store in order, and ends as delivered or dead again."""
    assert buried.replay(EVENTS, [8, 3, 4]) == 2
    assert books(buried) == (7, 2, 1)
    assert buried.replays(EVENTS, 10)["sequence"].to_list() == [3, 8]
    assert buried.ledger().oldest_waiting_s is not None

    with buried.lease("deliver") as lease, buried.transaction() as tx:
        tx.settle_replay(lease, delivered=[3, 5], dead={8: "still a conflict"})

    assert books(buried) == (8, 0, 2)
    assert buried.replays(EVENTS, 10).is_empty()
    last = buried.dead_letters(state="dead")[-1]
    assert (last.sequence, last.reason, last.attempts) == (8, "still a conflict", 2)


def test_settling_twice_counts_once(buried):
    """A letter that is not on replay any more is left alone."""
    buried.replay(EVENTS)
    for _ in range(2):
        with buried.lease("deliver") as lease, buried.transaction() as tx:
            tx.settle_replay(lease, delivered=[3], dead={5: "again"})

    assert books(buried) == (8, 1, 1)


def test_dropped_letters_still_count_as_dead(buried):
    """A dropped letter is gone for replay; its reason stays, and so does its place in the books."""
    assert buried.drop(EVENTS, [5]) == 1
    assert buried.drop(EVENTS, [5]) == 0

    assert buried.replay(EVENTS) == 2
    assert books(buried) == (7, 2, 1)
    (letter,) = buried.dead_letters(state="dropped")
    assert (letter.sequence, letter.reason) == (5, "id too long")
    assert buried.letter(EVENTS, 5) is None


def test_delivery_stops_when_the_dead_letters_are_full(folder, make_records, append, deliver):
    """At their bound no more records die: the move is undone, and nothing is lost."""
    with Spool.open(folder, min_free_bytes=0, max_letter_bytes=10_000) as spool:
        append(spool, make_records(100))
        with pytest.raises(DeadLettersFullError, match="sentinel dead-letters"):
            deliver(spool, 100, dict.fromkeys(range(1, 101), "poison"))
        assert spool.position("deliver").sequence == 0
        assert books(spool) == (0, 100, 0)

        deliver(spool, 100, {1: "poison", 2: "poison"})
        spool.drop(EVENTS)
        assert books(spool) == (98, 0, 2)


def test_delivered_letters_are_forgotten_after_a_while(buried):
    """Letters that were delivered after all go with time; the books stay."""
    buried.replay(EVENTS, [3])
    with buried.lease("deliver") as lease, buried.transaction() as tx:
        tx.settle_replay(lease, delivered=[3])

    buried.prune(now_s=1e12)

    assert [row.sequence for row in buried.dead_letters()] == [5, 8]
    assert books(buried) == (8, 0, 2)
