"""A new model from what the store holds."""

from datetime import datetime
from functools import partial

from prefect import task

from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.train import TrainReport, retrain
from sentinel.settings import load_settings
from tasks.policy import RETRIES, RETRY_DELAYS_S, is_transient, leave_table, with_sentinel

__all__ = ["train_challenger"]

TIMEOUT_S = 3600


@task(
    name="train-challenger",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_condition_fn=is_transient,
    timeout_seconds=TIMEOUT_S,
    persist_result=False,
)
async def train_challenger(
    since: datetime | None, until: datetime | None, max_records: int | None, exclude_anomalies: bool
) -> str:
    """Fit, gate and promote, leave the table of the gate's checks, and return one line that says what was done."""
    wanted = partial(_retrain, since=since, until=until, max_records=max_records, exclude_anomalies=exclude_anomalies)
    report = await with_sentinel(wanted)
    summary = (
        f"train model={report.model_version} records={report.rows} excluded={report.excluded} "
        f"promoted={report.promoted} confidence={report.confidence} took_s={report.took_s:.2f}"
    )
    await leave_table("retrain-detector", report.table(), summary)
    return summary


def _retrain(
    sentinel: Sentinel,
    *,
    since: datetime | None,
    until: datetime | None,
    max_records: int | None,
    exclude_anomalies: bool,
) -> TrainReport:
    limit = load_settings().log_sentinel_train_max_records if max_records is None else max_records
    return retrain(sentinel, since=since, until=until, max_records=limit, exclude_anomalies=exclude_anomalies)
