"""A whole sentinel in a temporary home with a store in memory, and records to feed it."""

import functools
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.collect import Watched
from sentinel.detect.models.registry import Registry
from sentinel.pipeline.parts import Sentinel
from sentinel.spool import Spool
from sentinel.store import MemoryStore

START = datetime(2026, 3, 2, 8, tzinfo=UTC)


class Clock:
    """Seconds since 1970 that pass only when told to."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        return self.now_s

    def sleep(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock(START.timestamp())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def open_home(tmp_path: Path, store: MemoryStore) -> Callable[[], Sentinel]:
    """Opens the same home again and again, as a restarted process would."""

    def open_it() -> Sentinel:
        (tmp_path / "in").mkdir(exist_ok=True)
        return Sentinel(
            spool=Spool.open(tmp_path / "spool"),
            store=store,
            models=functools.cache(lambda: Registry(tmp_path / "models", b"k" * 32)),
            home=tmp_path,
            watched=Watched.under(tmp_path / "in"),
            period="month",
            threshold_nats=7.5,
            retention_days=0,
        )

    return open_it


@pytest.fixture
def sentinel(open_home: Callable[[], Sentinel]) -> Iterator[Sentinel]:
    opened = open_home()
    yield opened
    opened.close()
