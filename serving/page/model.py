"""Model: what is in service and what it learnt from, its checks and scores, the threshold, all versions."""

import math
from collections.abc import Mapping
from typing import Any

from sentinel.detect.models.registry import Registry
from sentinel.errors import SentinelError
from sentinel.pipeline import threshold
from serving.page.now import heading
from serving.page.render import scaled
from serving.parts import Parts

__all__ = ["preview", "screen"]

SHARES = ("0.5", "0.9", "0.99", "0.999", "0.9999")
CHART = (400, 90)
DEFAULT_BUDGET, MAX_BUDGET = 5, 50
MAX_NATS = 30.0  # one in ten trillion: beyond it odds say nothing to a person


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
    known = threshold.shown_threshold(parts.sentinel.spool, parts.sentinel.threshold_nats)
    metrics = card["metrics"] if card else {}
    nats = [float(metrics.get(f"nats_at_{share}", 0.0)) for share in SHARES]
    top = max([*nats, known["nats"], 1.0])
    budget = known["alerts_per_day"]
    return {
        "threshold": known,
        "threshold_odds": math.exp(min(known["nats"], MAX_NATS)),
        "budget": DEFAULT_BUDGET if budget is None else max(1, min(MAX_BUDGET, round(budget))),
        "quantile_points": scaled(nats, top, *CHART),
        "threshold_points": scaled([known["nats"]] * len(nats), top, *CHART),
    }


def preview(parts: Parts, asked: Mapping[str, str]) -> dict[str, Any]:
    """What the last seven days would have shown with so many incidents a day."""
    budget = asked.get("alerts_per_day", "")
    if not budget.isascii() or not budget.isdigit() or not 1 <= int(budget) <= MAX_BUDGET:
        return {"problem": f"Incidents a day are a number from 1 to {MAX_BUDGET}.", "preview": None}
    spool, setting = parts.sentinel.spool, parts.sentinel.threshold_nats
    try:
        found = threshold.preview(
            spool, setting, nats=None, alerts_per_day=float(budget), source=None, now_s=parts.clock()
        )
    except SentinelError as exc:
        return {"problem": str(exc), "preview": None}
    return {"problem": "", "preview": found}
