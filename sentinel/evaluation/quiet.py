"""What a person would have been shown on public logs with nothing injected: incidents a day, and the list of them."""

from typing import Any

import polars as pl

from sentinel.detect import Scorer
from sentinel.evaluation.case import Case
from sentinel.evaluation.ours import judge, model_of

__all__ = ["run_quiet"]

DAY_S = 86_400.0
SHOWN = 12


def run_quiet(case: Case, *, seed: int) -> dict[str, Any]:
    """Incidents of one log's second half: how many, a day, and the first line of each with its reasons.

    A log shorter than a day counts as one day.
    """
    model, state = model_of(case.train, seed=seed)
    scorer = Scorer(model, state)
    records = case.test.drop("label", "attack")
    verdicts, events = judge(scorer, records)
    flagged = verdicts["is_anomaly"]
    strange, said = records.filter(flagged), verdicts.filter(flagged)
    span_s = (records["timestamp"].max() - records["timestamp"].min()).total_seconds()  # type: ignore[operator, union-attr]
    days = max(span_s / DAY_S, 1.0)
    shown = strange.select("timestamp", "source", "message").with_columns(
        said["kind"], said["reasons"], incident=scorer.incidents(strange, said)
    )
    firsts = shown.group_by("incident", maintain_order=True).agg(pl.all().first(), lines=pl.len())
    return {
        "case": case.name,
        "confidence": model.confidence,
        "lines": len(records),
        "days": days,
        "flagged": int(flagged.sum()),
        "incidents": len(firsts) + len(events),
        "silences": len(events),
        "incidents_a_day": (len(firsts) + len(events)) / days,
        "list": [_told(row) for row in firsts.head(SHOWN).iter_rows(named=True)],
    }


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "timestamp": row["timestamp"].isoformat(),
        "source": row["source"],
        "message": row["message"][:160],
        "lines": row["lines"],
        "kind": row["kind"],
        "reasons": row["reasons"],
    }
