"""What comes late or could not be heard is no silence: restarts, pauses, model swaps, bursts, a full spool."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from sentinel.pipeline.arrivals import Arrivals
from sentinel.pipeline.collect import collect
from sentinel.pipeline.deliver import deliver
from sentinel.pipeline.live import Live
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.train import retrain
from tests.pipeline.conftest import START, Clock

BEAT_S = 60.0
TAUGHT = 240


def write_beats(sentinel: Sentinel, first: int, last: int, source: str = "heartbeat") -> None:
    """Lines of a source, one each minute, as its program writes them, whoever reads them."""
    with (sentinel.home / "in" / f"{source}.log").open("a") as file:
        for n in range(first, last):
            at = START + timedelta(seconds=BEAT_S * n + n % 3)
            file.write(f"{at:%Y-%m-%dT%H:%M:%SZ} INFO {source}: alive, load {n % 8 + 1}\n")


class Server:
    """Reads files and scores by turns, a turn each second or so, as the server does."""

    def __init__(self, sentinel: Sentinel, clock: Clock) -> None:
        self.sentinel, self.clock = sentinel, clock
        self.live = Live(sentinel, clock=clock)
        assert self.live.start()

    def run(self, seconds: float, step_s: float = 5.0, *, collects: bool = True) -> None:
        until_s = self.clock.now_s + seconds
        while self.clock.now_s < until_s:
            self.clock.now_s += step_s
            if collects:
                collect(self.sentinel, clock=self.clock)
            while self.live.round():
                pass

    def beat(self, first: int, last: int) -> None:
        """Minutes of normal life."""
        for n in range(first, last):
            write_beats(self.sentinel, n, n + 1)
            self.run(BEAT_S)


def silences(sentinel: Sentinel) -> list[str]:
    return sentinel.spool.anomalies(limit=1_000).filter(pl.col("kind") == "silence")["message"].to_list()


@pytest.fixture
def taught(sentinel: Sentinel, clock: Clock) -> Sentinel:
    """Four hours of beats are collected, delivered and learnt from, and it is the minute after them."""
    write_beats(sentinel, 0, TAUGHT)
    clock.now_s += TAUGHT * BEAT_S
    collect(sentinel, clock=clock)
    deliver(sentinel, clock=clock, sleep=clock.sleep)
    assert retrain(sentinel, max_records=100_000, clock=clock).promoted
    return sentinel


@pytest.fixture
def server(taught: Sentinel, clock: Clock) -> Server:
    """It has run for five minutes."""
    running = Server(taught, clock)
    running.beat(TAUGHT, TAUGHT + 5)
    return running


def test_real_silence_is_told_also_while_others_talk(server: Server) -> None:
    """The beat stops while another source never does: it is told once."""
    for n in range(60):
        write_beats(server.sentinel, TAUGHT + 5 + n // 6, TAUGHT + 6 + n // 6, "busy")
        server.clock.now_s += 10.0
        collect(server.sentinel, clock=server.clock)
        assert server.live.round() == 1  # it is never idle

    assert len(silences(server.sentinel)) == 1


def test_four_restarts_raise_no_silence(server: Server, open_home: Callable[[], Sentinel], clock: Clock) -> None:
    """However long it was down, whether the lines of that time are there or never were, nobody was silent."""
    at, running = TAUGHT + 5, server
    for down, is_written in ((10, True), (45, False), (3, True), (90, True)):
        running.live.stop()
        running.sentinel.spool.close() if running is not server else None
        clock.now_s += down * BEAT_S
        if is_written:
            write_beats(server.sentinel, at, at + down)
        at += down
        running = Server(open_home(), clock)
        running.run(20.0, collects=False)  # it scores before files are read
        running.beat(at, at + 4)
        at += 4

    assert silences(running.sentinel) == []
    running.run(6 * BEAT_S)
    assert len(silences(running.sentinel)) == 1  # and a real one is still found
    running.live.stop()
    running.sentinel.close()


def test_pause_of_the_machine_is_no_silence(server: Server, clock: Clock) -> None:
    """A laptop sleeps for an hour, nothing is written meanwhile."""
    clock.now_s += 3_600.0
    server.run(30.0)
    server.beat(TAUGHT + 66, TAUGHT + 70)

    assert silences(server.sentinel) == []


def test_retrain_and_swap_raise_no_silence(server: Server, clock: Clock) -> None:
    """A new model, whose deadlines are others, begins to wait anew."""
    deliver(server.sentinel, clock=clock, sleep=clock.sleep)
    clock.now_s += 1.0
    version = retrain(server.sentinel, max_records=100_000, clock=clock).model_version
    server.sentinel.registry.promote(version)
    clock.now_s += 100.0
    server.beat(TAUGHT + 7, TAUGHT + 12)

    assert server.live.model is not None
    assert server.live.model.version == version
    assert silences(server.sentinel) == []


def test_history_that_was_taught_is_not_waited_for(taught: Sentinel, clock: Clock) -> None:
    """A model of last week's lines does not wait for sources that nobody has heard here."""
    clock.now_s += 7 * 86_400.0
    running = Server(taught, clock)

    running.run(20 * BEAT_S)

    assert silences(taught) == []


def test_source_that_comes_in_bursts_is_not_silent_between(server: Server, clock: Clock) -> None:
    """Lines that are brought every five minutes are as late as that, and missing only when they are later."""
    at = TAUGHT + 5
    for _ in range(6):
        server.run(5 * BEAT_S, collects=False)
        write_beats(server.sentinel, at, at + 5)
        at += 5
        server.run(5.0)
    told = silences(server.sentinel)
    server.run(40 * BEAT_S)

    assert len(told) <= 1  # the first burst could not be known
    assert len(silences(server.sentinel)) == len(told) + 1


def test_refused_lines_are_not_missed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the spool is full nothing is taken in: no source is silent for that."""
    ledger = server.sentinel.spool.ledger()
    full = type(ledger)(**{name: getattr(ledger, name) for name in ledger.__slots__} | {"max_bytes": ledger.bytes})
    with monkeypatch.context() as patched:
        patched.setattr(server.sentinel.spool, "ledger", lambda stream: full)
        server.run(10 * BEAT_S)
    told = silences(server.sentinel)
    server.beat(TAUGHT + 15, TAUGHT + 18)

    assert told == silences(server.sentinel) == []


def test_lateness_survives_a_restart(clock: Clock) -> None:
    """What is known of how late a source is outlives the process, for a while."""
    at = datetime.fromtimestamp(clock.now_s + 100.0, UTC)
    late = pl.DataFrame({"timestamp": [at], "received": [at + timedelta(seconds=300)], "source": ["batch"]})
    arrivals = Arrivals(clock.now_s)
    arrivals.note(late, clock.now_s + 400.0)

    again = Arrivals(clock.now_s + 500.0, arrivals.to_json())

    assert again.attention().missing_s("batch", clock.now_s + 600.0, clock.now_s + 1_000.0) == 100.0
    assert again.attention().missing_s("other", clock.now_s + 600.0, clock.now_s + 1_000.0) == 400.0


def test_a_clock_far_ahead_makes_no_other_line_late(clock: Clock) -> None:
    """After one line dated a year ahead, the lines of its source are scored as before; a real backfill is not."""
    arrivals = Arrivals(clock.now_s)
    now = datetime.fromtimestamp(clock.now_s, UTC)

    def frame(*times: datetime) -> pl.DataFrame:
        stamps = pl.Series("timestamp", times).dt.cast_time_unit("ns")
        arrived = pl.Series("received", [now] * len(times)).dt.cast_time_unit("ms")
        return pl.DataFrame([stamps, arrived, pl.Series("source", ["sshd"] * len(times))])

    year, hour, second = timedelta(days=365), timedelta(hours=1), timedelta(seconds=1)
    late = arrivals.note(frame(now, now + year, now + second, now - 2 * hour, now + 2 * second), clock.now_s).to_list()

    assert late == [False, False, False, True, False]


def test_sources_without_end_are_not_all_remembered(clock: Clock) -> None:
    """The newest time is kept of the ten thousand sources last heard of."""
    arrivals = Arrivals(clock.now_s)
    now = datetime.fromtimestamp(clock.now_s, UTC)
    for begin in range(0, 30_000, 2_000):
        names = [f"pod-{begin + i}" for i in range(2_000)]
        stamps = pl.Series("timestamp", [now] * 2_000)
        arrivals.note(pl.DataFrame([stamps, stamps.alias("received"), pl.Series("source", names)]), clock.now_s)

    assert len(arrivals._newest) == 10_000
    assert "pod-29999" in arrivals._newest
