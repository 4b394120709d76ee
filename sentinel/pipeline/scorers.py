"""The champion's scorer with all that was seen: the saved state where it can be read, else what came with the model."""

import logging

from sentinel.detect import Model, Scorer
from sentinel.errors import ArtifactError

__all__ = ["scorer_of"]

log = logging.getLogger(__name__)


def scorer_of(model: Model, taught: bytes, running: bytes | None, *, threshold_nats: float) -> Scorer:
    """A scorer under `model`. `taught` is the state that came with it, `running` the newest one kept, if any.

    A running state of another release, or a damaged one, is let go, and the log says so: the model's own takes its
    place, and the records since are history that it lacks.
    """
    try:
        scorer = Scorer(model, taught if running is None else running, taught=taught)
    except ArtifactError as exc:
        if running is None:
            raise
        log.warning("began from the model's own state model=%s error=%s", model.version, exc)
        scorer = Scorer(model, taught)
    scorer.threshold_nats = threshold_nats
    return scorer
