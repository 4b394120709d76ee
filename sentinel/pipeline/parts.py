"""The real objects that the verbs work on, opened once by `wiring`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentinel.collect import Watched
from sentinel.spool import Spool
from sentinel.store import Store

if TYPE_CHECKING:
    from sentinel.detect.models.registry import Registry

__all__ = ["Sentinel"]


@dataclass(frozen=True, slots=True)
class Sentinel:
    """Spool, store and models of one home, and the files that are watched."""

    spool: Spool
    store: Store
    models: "Callable[[], Registry]"  # opened when it is first asked for: most verbs do without the detector
    home: Path
    watched: Watched
    period: str  # of partitions: "month", "day" or "none"
    threshold_nats: float
    retention_days: int  # 0: for ever

    @property
    def registry(self) -> "Registry":
        """The models of this home. Raises ArtifactError where their key cannot be read."""
        return self.models()

    def close(self) -> None:
        """Close store and spool; nothing accepted is lost by it."""
        self.store.close()
        self.spool.close()
