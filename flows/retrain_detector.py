"""retrain-detector: a new model is learnt, and takes over if it passes the gate."""

from datetime import datetime
from typing import Annotated

from prefect import State, flow
from prefect.states import Completed
from pydantic import Field

from sentinel.settings import MAX_TRAIN_RECORDS, MIN_TRAIN_RECORDS
from tasks.retrain import train_challenger

__all__ = ["retrain_detector"]


Moment = Annotated[datetime, Field(json_schema_extra={"pattern": r"^\d{4}-\d{2}-\d{2}([T ].*)?$"})]
"""Prefect's server looks at no `format`, but at a pattern."""
Records = Annotated[int, Field(ge=MIN_TRAIN_RECORDS, le=MAX_TRAIN_RECORDS)]


@flow(name="retrain-detector", persist_result=False)
async def retrain_detector(
    since: Moment | None = None,
    until: Moment | None = None,
    max_records: Records | None = None,
    exclude_anomalies: bool = True,
) -> State[None]:
    """Learn from the newest records, and leave a table of the gate's checks.

    Args:
        since: only records of this time or later, by their own time
        until: only records from before this time
        max_records: the newest by arrival, at most so many; unset: LOG_SENTINEL_TRAIN_MAX_RECORDS
        exclude_anomalies: leave out the attacks that the model in service finds among them
    """
    return Completed(message=await train_challenger(since, until, max_records, exclude_anomalies))
