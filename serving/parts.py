"""What the routes work on: the real objects and the bounds, put together once by `assemble`."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sentinel.pipeline.ingest import Intake
from sentinel.pipeline.live import Live
from sentinel.pipeline.parts import Sentinel
from serving.alert import AlertReader
from serving.bodies import BodyBudget
from serving.deliver import DeliverReader
from serving.detect import DetectReader
from serving.follow import FollowReader
from serving.meters import Meters
from serving.news import News
from serving.sessions import Sessions
from serving.training import Trainer
from serving.watch import StoreWatch

__all__ = ["Limits", "Parts", "Pools"]

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one request, and all together, may ask for."""

    max_body_bytes: int = 16 * MIB  # inflated
    max_bodies_bytes: int = 128 * MIB  # of all requests at once, as sent and inflated
    max_items: int = 200_000  # lines or documents a request
    max_predicted: int = 10_000  # lines a request to /predict: they share one lock with the live reader
    score_wait_s: float = 1.0  # how long ?score=true waits for the live reader
    first_load_s: float = 10.0  # how long the state is unsettled at the most after the start
    reload_wait_s: float = 30.0  # how long an answer to /train waits for the new model to be in service


@dataclass(frozen=True, slots=True)
class Pools:
    """Threads for what would hold up the event loop; one pool a kind, so that none starves another."""

    decode: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "decode"))
    predict: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "predict"))
    read: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "read"))

    def close(self) -> None:
        """End the threads when their work under way is done."""
        for pool in (self.decode, self.predict, self.read):
            pool.shutdown(wait=False, cancel_futures=True)


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route may need."""

    sentinel: Sentinel
    intake: Intake
    live: Live
    detect: DetectReader
    deliver: DeliverReader
    follow: FollowReader | None  # None: the files are left to other collectors
    trainer: Trainer
    watch: StoreWatch
    meters: Meters
    limits: Limits
    budget: BodyBudget
    pools: Pools
    clock: Callable[[], float]  # Unix time in seconds
    started_s: float
    sessions: Sessions
    news: News
    alert: AlertReader
    key: str | None = None
    hosts: frozenset[str] | None = None  # names of this server; None: any, it can be reached from elsewhere anyway
    is_open_documented: bool = True  # /docs and /openapi.json: on loopback only
