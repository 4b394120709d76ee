"""load-elastic: what waits in the spool goes to Elasticsearch, or to Parquet files without one."""

from prefect import State, flow
from prefect.states import Completed

from tasks.load import deliver_waiting

__all__ = ["load_elastic"]


@flow(name="load-elastic", persist_result=False)
async def load_elastic() -> State[None]:
    """Deliver everything accepted before the start of this run, and leave a table of what was delivered."""
    return Completed(message=await deliver_waiting())
