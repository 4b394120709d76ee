"""What is measured as it happens: latencies and counts that no ledger keeps."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics

__all__ = ["Meters"]

FAST_S = (0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
SLOW_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Meters:
    """Instruments of this process in a registry of its own. Labels take few values, all chosen by us."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry(auto_describe=True)
        ProcessCollector(registry=self.registry)
        self.intake_s = Histogram(
            "sentinel_intake_seconds",
            "From the first byte of a request to /logs to its commit",
            buckets=SLOW_S,
            registry=self.registry,
        )
        self.predict_s = Histogram(
            "sentinel_predict_seconds", "Time to judge one request to /predict", buckets=FAST_S, registry=self.registry
        )
        self._deliver_s = Histogram(
            "sentinel_deliver_round_seconds",
            "Time of one round of delivery, the store's answer included",
            ["reader"],
            buckets=SLOW_S,
            registry=self.registry,
        )
        self._store_write_s = Histogram(
            "sentinel_store_write_seconds",
            "What the store took to answer for the bulks of one round",
            ["reader"],
            buckets=SLOW_S,
            registry=self.registry,
        )
        self._deliver_retries = Counter(
            "sentinel_deliver_retries",
            "Rounds of delivery that must be tried again, wholly or in part",
            ["reader"],
            registry=self.registry,
        )
        self.clients_left = Counter(
            "sentinel_http_clients_left", "Clients that left before their answer", registry=self.registry
        )
        self._answers = Counter(
            "sentinel_http_answers", "Answers by route and class of status", ["route", "status"], registry=self.registry
        )

    def answer(self, route: str, status: int) -> None:
        """Note one answer; routes that are not there share one name."""
        self._answers.labels(route, f"{status // 100}xx").inc()

    def delivery(self, reader: str, took_s: float, *, is_retry: bool) -> None:
        """Note one round of delivery that had something to do."""
        self._deliver_s.labels(reader).observe(took_s)
        if is_retry:
            self._deliver_retries.labels(reader).inc()

    def store_write(self, reader: str, took_s: float) -> None:
        """Note how long the store took for what one round offered it."""
        self._store_write_s.labels(reader).observe(took_s)
