"""No secret reaches the disk, whichever door it came by, and each is counted once, in the commit of its record."""

from collections.abc import Iterator

import pytest

from sentinel.parse import Reading, decode_body, use
from sentinel.pipeline.batch import Submission
from sentinel.pipeline.collect import collect
from sentinel.pipeline.collector import Collector
from sentinel.pipeline.ingest import Intake
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.secrets import masked_by_kind
from sentinel.records import EVENTS
from tests.pipeline.conftest import Clock

CARD = "4012 8888 8888 1881"
LINE = f"2026-03-02T07:59:00Z INFO [main] shop.Pay: card {CARD} password=hunter2\n"


@pytest.fixture
def intake(sentinel: Sentinel) -> Iterator[Intake]:
    taking = Intake(sentinel.spool, period="month")
    yield taking
    taking.close()


def on_disk(sentinel: Sentinel) -> bytes:
    return b"".join(path.read_bytes() for path in (sentinel.home / "spool").iterdir() if path.is_file())


def test_collected_secret_is_masked_and_counted(sentinel: Sentinel, clock: Clock) -> None:
    """From a file: placeholders in the record, nothing in the spool's files, the counts by kind."""
    (sentinel.home / "in" / "pay.log").write_text(LINE)

    collect(sentinel, clock=clock)

    assert sentinel.spool.read(EVENTS, 0, 10)["message"].to_list() == ["card <CARD> password=<PASSWORD>"]
    assert {kind: n for kind, n in masked_by_kind(sentinel.spool).items() if n} == {"card": 1, "password": 1}
    assert CARD.encode() not in on_disk(sentinel)


def test_held_event_is_counted_when_it_is_kept(sentinel: Sentinel, clock: Clock) -> None:
    """An event that may go on is read twice, and its secrets count once, also where its file goes meanwhile."""
    file = sentinel.home / "in" / "pay.log"
    file.write_text(LINE)
    clock.now_s = file.stat().st_mtime
    with Collector(sentinel.spool, sentinel.watched, period="month", clock=clock) as collector:
        first = collector.round(wait_s=1)
        counts = masked_by_kind(sentinel.spool)["card"]
        file.unlink()
        clock.sleep(5)
        collector.round(wait_s=1)

    assert first is not None
    assert (first.is_held, counts) == (True, 0)
    assert sentinel.spool.read(EVENTS, 0, 10)["message"].to_list() == ["card <CARD> password=<PASSWORD>"]
    assert masked_by_kind(sentinel.spool)["card"] == 1


@pytest.mark.parametrize("body", [LINE.encode(), b'{"message": "card %s password=hunter2"}' % CARD.encode()])
def test_sent_secret_is_masked_and_counted(intake: Intake, sentinel: Sentinel, body: bytes) -> None:
    """Over HTTP, as text and as JSON."""
    kind = "application/json" if body.startswith(b"{") else "text/plain"

    intake.submit(Submission(decode_body(body, kind), "ann")).result(10)

    assert sentinel.spool.read(EVENTS, 0, 10)["message"].to_list() == ["card <CARD> password=<PASSWORD>"]
    assert masked_by_kind(sentinel.spool)["password"] == 1
    assert CARD.encode() not in on_disk(sentinel)


def test_nothing_is_masked_where_nobody_wants_it(intake: Intake, sentinel: Sentinel) -> None:
    """`none` keeps the line as it came."""
    use(Reading(mask=frozenset()))
    try:
        intake.submit(Submission(decode_body(LINE.encode(), "text/plain"), "ann")).result(10)
    finally:
        use(Reading())

    assert CARD in sentinel.spool.read(EVENTS, 0, 10)["message"][0]
    assert not any(masked_by_kind(sentinel.spool).values())
