"""score-batch: what the live reader has left out is scored."""

from prefect import State, flow
from prefect.states import Completed

from tasks.score import score_unscored

__all__ = ["score_batch"]


@flow(name="score-batch", persist_result=False)
async def score_batch() -> State[None]:
    """Score the delivered records that no model has scored yet, and leave a table of their ranges."""
    return Completed(message=await score_unscored())
