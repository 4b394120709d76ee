"""Model: what is in service and what it learnt from, its checks and scores, the threshold, all versions."""

from collections.abc import Mapping
from typing import Any

from sentinel.detect.models.registry import Registry
from sentinel.errors import SentinelError
from serving.page.now import heading
from serving.page.render import scaled
from serving.parts import Parts

__all__ = ["screen"]

SHARES = ("0.5", "0.9", "0.99", "0.999", "0.9999")
CHART = (400, 90)


def screen(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the screen shows."""
    versions, problem, card = list[dict[str, object]](), parts.live.problem, None
    try:
        registry = parts.sentinel.registry
        versions = registry.list()
        card = _card(registry, parts)
    except SentinelError as exc:
        problem = problem or str(exc)
    return {
        **heading(parts, "model"),
        "model": card,
        "problem": problem,
        "versions": versions,
        **_loudness(parts, card),
    }


def _card(registry: Registry, parts: Parts) -> dict[str, Any] | None:
    """The manifest of the model in service; None before the first."""
    served = parts.live.model
    if served is None:
        return None
    known = registry.manifest(served.version)
    checks = known.gate["checks"] if known.gate else []
    return {**known.to_dict(), "checks": checks, "features": list(known.features)}


def _loudness(parts: Parts, card: Mapping[str, Any] | None) -> dict[str, Any]:
    """The threshold in force, and where it stands among the scores of training."""
    metrics = card["metrics"] if card else {}
    nats = [float(metrics.get(f"nats_at_{share}", 0.0)) for share in SHARES]
    threshold_nats = parts.sentinel.threshold_nats
    top = max([*nats, threshold_nats, 1.0])
    return {
        "threshold": {"nats": threshold_nats, "score": 1.0 - 2.0 ** (-threshold_nats / 7.5)},
        "quantile_points": scaled(nats, top, *CHART),
        "threshold_points": scaled([threshold_nats] * len(nats), top, *CHART),
    }
