"""What the live reader has not scored."""

from prefect import task

from sentinel.errors import NoModelError
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.report import Report
from sentinel.pipeline.score import score_missing
from tasks.policy import RETRIES, RETRY_DELAYS_S, is_transient, leave_table, with_sentinel

__all__ = ["score_unscored"]

TIMEOUT_S = 1800


@task(
    name="score-unscored",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_condition_fn=is_transient,
    timeout_seconds=TIMEOUT_S,
    persist_result=False,
)
async def score_unscored() -> str:
    """Score, leave the table of ranges, and return one line that says what was done."""
    report = await with_sentinel(_score)
    await leave_table("score-batch", report.table(), report.summary())
    return report.summary()


def _score(sentinel: Sentinel) -> Report:
    """Score what is missing; before the first training that is nothing, every ten minutes, and no failure."""
    try:
        return score_missing(sentinel)
    except NoModelError as exc:
        return Report("score", {"missing": 0, "scored": 0, "anomalies": 0}, notes=(str(exc),))
