"""The work pool: runs are processes of this Python, in the folder of their worker."""

import shlex

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.workers.process import ProcessWorker

__all__ = ["POOL", "put_pool"]

POOL = "sentinel"


async def put_pool(client: PrefectClient, *, python: str) -> None:
    """Create the pool, or bring it up to date. It is left paused or not, as it was.

    With a command of its own a run costs 1.7 s of CPU instead of 4.3: without one the worker starts Prefect three times
    in a row to find out how to start it. A relative working directory keeps a checkout movable.
    """
    template = ProcessWorker.get_default_base_job_template()
    variables = template["variables"]["properties"]
    variables["command"]["default"] = f"{shlex.quote(python)} -m prefect.engine"
    variables["working_dir"]["default"] = "."
    pool = WorkPoolCreate(
        name=POOL,
        type="process",
        description="Log Sentinel's flow runs, as processes of this machine",
        base_job_template=template,
    )
    await client.create_work_pool(pool, overwrite=True)
