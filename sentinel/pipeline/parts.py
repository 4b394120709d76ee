"""The real objects that the verbs work on, opened once by `wiring`."""

from dataclasses import dataclass
from pathlib import Path

from sentinel.detect.registry import Registry
from sentinel.spool import Spool
from sentinel.store import Store

__all__ = ["Sentinel"]


@dataclass(frozen=True, slots=True)
class Sentinel:
    """Spool, store and models of one home, and the folder that is watched."""

    spool: Spool
    store: Store
    registry: Registry
    home: Path
    watched: Path
    period: str  # of partitions: "month", "day" or "none"
    threshold_nats: float
    retention_days: int  # 0: for ever

    def close(self) -> None:
        """Close store and spool; nothing accepted is lost by it."""
        self.store.close()
        self.spool.close()
