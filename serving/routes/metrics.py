"""`GET /metrics`: the ledger and the instruments as Prometheus text."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.responses import Response

from sentinel.pipeline.overview import source_books
from sentinel.pipeline.rounds import READERS
from sentinel.pipeline.secrets import masked_by_kind
from sentinel.records import ANOMALIES, EVENTS
from sentinel.spool import Ledger, Spool
from sentinel.store import ID_CONFLICT
from serving.parts import Parts

__all__ = ["router"]

STREAM = ["stream"]
MAX_REASONS = 50  # reasons are our own words, but what comes from outside may be quoted in one
OTHER = "other"
KEPT_ANOMALIES = 10_000


class _Kinds:
    """Counts anomalies by kind: those that are kept (the newest 10,000) at the start, then each new one."""

    def __init__(self, spool: Spool) -> None:
        self._spool, self._seen, self._counts = spool, 0, Counter[str]()

    def family(self) -> Metric:
        """The counts as of now."""
        last = self._spool.last_sequence(ANOMALIES)
        if last > self._seen:
            new = self._spool.anomalies(limit=min(KEPT_ANOMALIES, last - self._seen))
            self._counts.update(new.filter(new["sequence"] > self._seen)["kind"].fill_null("none").to_list())
            self._seen = last
        family = CounterMetricFamily("sentinel_anomalies", "Anomalies found", labels=["kind"])
        for kind, count in sorted(self._counts.items()):
            family.add_metric([kind], count)
        return family


class _SpoolCollector(Collector):
    """Reads the books at the moment they are asked for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._kinds = _Kinds(parts.sentinel.spool)

    def collect(self) -> Iterable[Metric]:
        """All families, from one reading."""
        ledgers = {stream: self._parts.sentinel.spool.ledger(stream) for stream in READERS.values()}
        yield from _books(ledgers, self._parts.clock())
        yield from _sources(ledgers[EVENTS])
        yield from _rejected(ledgers[EVENTS])
        yield from self._masked()
        yield from self._letters()
        yield from self._readers()
        yield from self._live()

    def _masked(self) -> Iterator[Metric]:
        family = CounterMetricFamily("sentinel_masked", "Secrets masked before they reached the disk", labels=["kind"])
        for kind, count in masked_by_kind(self._parts.sentinel.spool).items():
            family.add_metric([kind], count)
        yield family

    def _readers(self) -> Iterator[Metric]:
        spool = self._parts.sentinel.spool
        lag = GaugeMetricFamily("sentinel_reader_lag_records", "Records a reader has not passed yet", labels=["reader"])
        attempts = GaugeMetricFamily(
            "sentinel_reader_attempts", "Attempts in a row that the store refused", labels=["reader"]
        )
        backoff = GaugeMetricFamily(
            "sentinel_reader_backoff_seconds", "Until the next attempt; 0 while all is well", labels=["reader"]
        )
        now_s = self._parts.clock()
        for reader, stream in READERS.items():
            position = spool.position(reader)
            backoff.add_metric([reader], max(0.0, position.next_attempt_s - now_s) if position.attempts else 0.0)
            lag.add_metric([reader], spool.last_sequence(stream) - position.sequence)
            attempts.add_metric([reader], position.attempts)
        lag.add_metric(["detect"], max(0, spool.last_sequence(EVENTS) - self._parts.live.head))
        yield lag
        yield attempts
        yield backoff

    def _letters(self) -> Iterator[Metric]:
        letters = GaugeMetricFamily(
            "sentinel_dead_letters", "Dead letters by state and reason", labels=["stream", "state", "reason"]
        )
        for stream, state, reason, count in self._parts.sentinel.spool.letter_counts(limit=MAX_REASONS):
            letters.add_metric([stream, state, reason], count)
        yield letters
        conflicts = self._parts.sentinel.spool.counter(ID_CONFLICT)
        yield CounterMetricFamily(
            "sentinel_id_conflicts", "Records under whose id the store holds another one", value=conflicts
        )
        gone = GaugeMetricFamily("sentinel_quarantined_batches", "Batches of the spool that can no longer be read")
        gone.add_metric([], self._parts.sentinel.spool.quarantined_count())
        yield gone

    def _live(self) -> Iterator[Metric]:
        live = self._parts.live
        yield CounterMetricFamily("sentinel_scored", "Records scored by this process", value=live.scored)
        yield self._kinds.family()
        model = live.model
        info = GaugeMetricFamily("sentinel_model_info", "The model in service", labels=["version", "confidence"])
        if model is not None:
            info.add_metric([model.version, model.confidence], 1)
        yield info
        known = self._parts.watch.is_reachable()
        if known is not None:
            kind = self._parts.sentinel.store.kind
            reachable = GaugeMetricFamily("sentinel_store_reachable", "1 while the store answers", labels=["kind"])
            reachable.add_metric([kind], float(known))
            yield reachable


def _books(ledgers: dict[str, Ledger], now_s: float) -> Iterator[Metric]:
    columns = (
        ("received", "Logs that arrived", CounterMetricFamily),
        ("accepted", "Records committed to the spool", CounterMetricFamily),
        ("delivered", "Records that the store has", CounterMetricFamily),
        ("waiting_records", "Records that the store does not have yet", GaugeMetricFamily),
        ("dead_records", "Records that can never be delivered", GaugeMetricFamily),
    )
    for name, meaning, family in columns:
        metric = family(f"sentinel_{name}", meaning, labels=STREAM)
        for stream, ledger in ledgers.items():
            metric.add_metric([stream], getattr(ledger, name.removesuffix("_records")))
        yield metric
    age = GaugeMetricFamily("sentinel_oldest_waiting_seconds", "Age of the oldest waiting record", labels=STREAM)
    used = GaugeMetricFamily("sentinel_spool_bytes", "Bytes of waiting batches on disk", labels=STREAM)
    for stream, ledger in ledgers.items():
        oldest_s = ledger.oldest_waiting_s
        age.add_metric([stream], max(0.0, now_s - oldest_s) if oldest_s is not None else 0.0)
        used.add_metric([stream], ledger.bytes)
    yield age
    yield used
    yield GaugeMetricFamily("sentinel_spool_max_bytes", "Bytes at which intake answers 503", ledgers[EVENTS].max_bytes)


def _sources(ledger: Ledger) -> Iterator[Metric]:
    """The books of the biggest sources, the rest as one: each adds up as the whole does."""
    rows = source_books(ledger)
    columns = (
        *((name, CounterMetricFamily) for name in ("received", "rejected", "accepted", "delivered")),
        *((name, GaugeMetricFamily) for name in ("waiting", "dead")),
    )
    for name, family in columns:
        unit = "" if family is CounterMetricFamily else "_records"
        metric = family(f"sentinel_source_{name}{unit}", f"Records {name}, by source", labels=["source"])
        for row in rows[:MAX_REASONS]:
            metric.add_metric([str(row["source"])], int(row[name]))
        if len(rows) > MAX_REASONS:
            metric.add_metric([OTHER], sum(int(row[name]) for row in rows[MAX_REASONS:]))
        yield metric


def _rejected(ledger: Ledger) -> Iterator[Metric]:
    reasons: Counter[str] = Counter()
    for (_, reason), count in ledger.rejected_by.items():
        reasons[reason] += count
    metric = CounterMetricFamily("sentinel_rejected", "Logs that were not accepted, by reason", labels=["reason"])
    kept = dict(sorted(reasons.items())[:MAX_REASONS])
    rest = sum(reasons.values()) - sum(kept.values())
    for reason, count in (*kept.items(), *([(OTHER, rest)] if rest else [])):
        metric.add_metric([reason], count)
    yield metric


def router(parts: Parts) -> APIRouter:
    """The route, on these parts."""
    routes = APIRouter()
    spool_registry = CollectorRegistry()
    spool_registry.register(_SpoolCollector(parts))

    def text() -> bytes:
        return generate_latest(spool_registry) + generate_latest(parts.meters.registry)

    @routes.get("/metrics", summary="Figures for Prometheus", response_class=Response)
    async def get_metrics() -> Response:
        """The ledger, the readers, latencies, what was scored: Prometheus text format."""
        await parts.watch.health()
        content = await asyncio.get_running_loop().run_in_executor(parts.pools.read, text)
        return Response(content, media_type=CONTENT_TYPE_LATEST)

    return routes
