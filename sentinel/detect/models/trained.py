"""What a registry takes of a training and its checks, and the manifest that tells of them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from sentinel.detect.lexicon.in_use import in_use
from sentinel.detect.models.manifest import Manifest, library_versions
from sentinel.detect.models.model import Model

__all__ = ["Report", "Trained", "manifest_of"]


class Trained(Protocol):
    """What is saved of a training."""

    @property
    def model(self) -> Model:
        """What is served; its version is kept if it is free, else a new one is made."""

    @property
    def state(self) -> bytes:
        """The state at the end of the training."""

    @property
    def forest(self) -> object:
        """The scikit-learn forest, or None for a warm-up model."""

    @property
    def left_out(self) -> int:
        """How many lines did not teach."""

    @property
    def excluded(self) -> int:
        """How many of these did not because the champion called them an attack."""


class Report(Protocol):
    """What a gate said of it."""

    @property
    def passed(self) -> bool:
        """Whether the model may be promoted."""

    @property
    def checks(self) -> Sequence[tuple[str, bool, str]]:
        """Name, passed, detail of each check."""


def manifest_of(model: Model, trained: Trained, report: Report | None) -> Manifest:
    """What is known of a model that was trained now, with the lexicon in use; `report` is that of its checks."""
    since, until = (datetime.fromtimestamp(at_s, UTC).isoformat() for at_s in model.span)
    checks = [] if report is None else [{"name": n, "passed": bool(p), "detail": d} for n, p, d in report.checks]
    quantiles = {f"nats_at_{share}": model.quantile_nats(share) for share in (0.5, 0.9, 0.99, 0.999, 0.9999)}
    left_out = {"left_out": float(trained.left_out), "excluded": float(trained.excluded)}
    return Manifest(
        version=model.version,
        trained_at=model.trained_at.astimezone(UTC).isoformat(),
        confidence=model.confidence,
        features=model.feature_names,
        rows=model.rows,
        since=since,
        until=until,
        metrics={"threshold_nats": model.threshold_nats, **quantiles, **left_out, **model.session_figures},
        gate=None if report is None else {"passed": bool(report.passed), "checks": checks},
        libraries=library_versions(),
        lexicon=in_use().digest,
    )
