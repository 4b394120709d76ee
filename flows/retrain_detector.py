"""retrain-detector: a new model is learnt, and takes over if it passes the gate."""

from datetime import datetime

from prefect import State, flow
from prefect.states import Completed

from tasks.retrain import train_challenger

__all__ = ["retrain_detector"]


@flow(name="retrain-detector", persist_result=False)
async def retrain_detector(
    since: datetime | None = None,
    until: datetime | None = None,
    max_records: int | None = None,
    exclude_anomalies: bool = True,
) -> State[None]:
    """Learn from the newest `max_records` records by arrival (unset: LOG_SENTINEL_TRAIN_MAX_RECORDS).

    With `since` and `until` only records whose own time lies between them. `exclude_anomalies` leaves out the attacks
    that the model in service finds among them. Leaves a table of the gate's checks.
    """
    return Completed(message=await train_challenger(since, until, max_records, exclude_anomalies))
