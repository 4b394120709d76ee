"""Settings in, the server's parts out: opened, wired to wake each other, and put away again in order."""

import asyncio
import logging
import time
from collections.abc import Callable

from sentinel.pipeline.alerts import Alerter
from sentinel.pipeline.collector import Collector
from sentinel.pipeline.ingest import Intake
from sentinel.pipeline.live import Live
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.settle import settle
from sentinel.settings import Settings, overlooked
from sentinel.wiring import open_sentinel, rules_of, use_lexicon
from serving.alert import AlertReader
from serving.bodies import BodyBudget
from serving.deliver import DeliverReader
from serving.detect import DetectReader
from serving.follow import FollowReader, Hints
from serving.guard import is_loopback
from serving.meters import Meters
from serving.news import News
from serving.parts import MIB, Limits, Parts, Pools
from serving.sessions import Sessions
from serving.training import Trainer
from serving.watch import StoreWatch

__all__ = ["open_parts", "put_away", "start_readers", "stop_requests"]

log = logging.getLogger(__name__)

BODIES_AT_ONCE = 8  # of the biggest size


def open_parts(settings: Settings) -> Parts:
    """Open spool, store and models, and begin to take in. Raises what `open_sentinel` raises, and SettingsError
    for a lexicon that is none.

    The readers are not started yet: `start_readers` does it when the event loop is there.
    """
    use_lexicon(settings)
    sentinel = open_sentinel(settings)
    news = News()
    live = Live(sentinel, tell=news.tell)
    detect = DetectReader(live, settle=lambda: news.tell(settle(sentinel.spool, time.time())))
    meters = Meters()
    deliver = DeliverReader(sentinel.spool, sentinel.store, observe=meters.delivery, observe_write=meters.store_write)

    def wake() -> None:
        deliver.wake()
        detect.wake()

    limits = Limits(max_body_bytes=settings.log_sentinel_max_body_mb * MIB)
    return Parts(
        sentinel=sentinel,
        intake=Intake(sentinel.spool, period=settings.elastic_index_period, notify=wake),
        live=live,
        detect=detect,
        deliver=deliver,
        follow=_follower(settings, sentinel, wake),
        trainer=Trainer(sentinel.home / "training"),
        watch=StoreWatch(sentinel.store),
        meters=meters,
        limits=limits,
        budget=BodyBudget(max(limits.max_bodies_bytes, BODIES_AT_ONCE * limits.max_body_bytes)),
        pools=Pools(),
        clock=time.time,
        started_s=time.time(),
        news=news,
        alert=AlertReader(
            Alerter(sentinel.spool, rules_of(settings), settings.log_sentinel_url, is_unsure=lambda: _is_unsure(live))
        ),
        sessions=Sessions(settings.log_sentinel_key, clock=time.time),
        key=settings.log_sentinel_key,
        hosts=_hosts(settings),
        is_open_documented=is_loopback(settings.log_sentinel_host),
    )


def _is_unsure(live: Live) -> bool:
    """Whether the model in service has learnt from a handful of lines."""
    return live.model is not None and live.model.confidence == "low"


def _follower(settings: Settings, sentinel: Sentinel, wake: Callable[[], None]) -> FollowReader | None:
    if not settings.log_sentinel_follow:
        return None
    if (advice := overlooked(settings)) is not None:
        log.warning(advice)
    collector = Collector(sentinel.spool, sentinel.watched, period=sentinel.period)
    return FollowReader(collector, hints=Hints(sentinel.watched.roots()), notify=wake)


def _hosts(settings: Settings) -> frozenset[str] | None:
    """The names that requests may have in their Host; None where any will do."""
    host, allowed = settings.log_sentinel_host, settings.log_sentinel_allowed_hosts
    if is_loopback(host):
        return frozenset({host, *allowed})
    return frozenset(allowed) if allowed else None


def start_readers(parts: Parts) -> None:
    """Begin to deliver and to score. Call it in the event loop."""
    parts.news.start(asyncio.get_running_loop())
    parts.detect.start(asyncio.get_running_loop())
    parts.deliver.start()
    parts.alert.start()
    if parts.follow is not None:
        parts.follow.start()


async def stop_requests(parts: Parts) -> None:
    """End what would hold up the stop for minutes: a training under way."""
    parts.news.stop()
    await parts.trainer.stop()


def put_away(parts: Parts) -> None:
    """After the last request: commit what was taken in, save the detector's state, close everything."""
    parts.intake.close()
    if parts.follow is not None:
        parts.follow.stop()
    parts.alert.stop()
    parts.deliver.stop()
    parts.detect.stop()
    parts.pools.close()
    parts.watch.close()
    parts.sentinel.close()
    log.info("stopped")
