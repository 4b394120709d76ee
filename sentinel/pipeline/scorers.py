"""The champion's scorer with all that was seen: the saved state where it can be read, else what came with the model."""

import logging

import polars as pl

from sentinel.detect import Model, One, Scorer
from sentinel.errors import ArtifactError
from sentinel.records import VERDICT_SCHEMA

__all__ = ["peek_at_one", "scorer_of"]

log = logging.getLogger(__name__)


def scorer_of(model: Model, taught: bytes, running: bytes | None, *, threshold_nats: float) -> tuple[Scorer, bool]:
    """A scorer under `model`, and whether it goes on from `running`, the newest state kept, if any; else it begins with
    `taught`, the state that came with the model.

    A running state of another release, or a damaged one, is let go, and the log says so: the model's own takes its
    place, and the records since are history that it lacks.
    """
    goes_on = running is not None
    try:
        scorer = Scorer(model, taught if running is None else running, taught=taught)
    except ArtifactError as exc:
        if running is None:
            raise
        log.warning("began from the model's own state model=%s error=%s", model.version, exc)
        scorer, goes_on = Scorer(model, taught), False
    scorer.threshold_nats = threshold_nats
    return scorer, goes_on


def peek_at_one(scorer: Scorer, records: pl.DataFrame) -> pl.DataFrame:
    """As `scorer.peek` of one record, the way for single lines, which is many times faster."""
    moment = records["timestamp"].to_physical()[0] / 1e9
    level, source, message, attributes = (records[name][0] for name in ("level", "source", "message", "attributes"))
    verdict = scorer.peek_one(One(moment, level, source, message, attributes))
    columns = {name: [getattr(verdict, name)] for name in VERDICT_SCHEMA}
    return pl.DataFrame(columns, schema=VERDICT_SCHEMA)
