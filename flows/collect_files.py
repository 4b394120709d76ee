"""collect-files: new lines of the watched files go into the spool, where no server follows them."""

from prefect import State, flow
from prefect.states import Completed

from tasks.collect import collect_new_lines

__all__ = ["collect_files"]


@flow(name="collect-files", persist_result=False)
async def collect_files() -> State[None]:
    """Read every complete line that is new at LOG_SENTINEL_DIR, once, and leave a table of what was read."""
    return Completed(message=await collect_new_lines())
