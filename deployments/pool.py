"""The work pool: runs are processes of this Python, in the folder of their worker."""

import shlex
from copy import deepcopy

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import WorkPoolCreate, WorkPoolUpdate
from prefect.exceptions import ObjectNotFound
from prefect.workers.process import ProcessWorker

__all__ = ["POOL", "put_pool"]

POOL = "sentinel"


ENGINE = "-m prefect.engine"


async def put_pool(client: PrefectClient, *, python: str) -> None:
    """Create the pool where it is missing. Of a pool that is there, only a command of ours is brought up to date.

    With a command of its own a run costs 1.7 s of CPU instead of 4.3: without one the worker starts Prefect three times
    in a row to find out how to start it. The command names this Python, so it is stale once the checkout has moved. A
    relative working directory keeps a checkout movable. What a user changed (environment, limits, another command or
    type of pool, paused) stays.
    """
    command = f"{shlex.quote(python)} {ENGINE}"
    try:
        pool = await client.read_work_pool(POOL)
    except ObjectNotFound:
        await client.create_work_pool(_new_pool(command))
        return
    template = deepcopy(pool.base_job_template)
    known = template.get("variables", {}).get("properties", {}).get("command", {})
    if pool.type == "process" and str(known.get("default")).endswith(ENGINE) and known["default"] != command:
        known["default"] = command
        await client.update_work_pool(POOL, WorkPoolUpdate(base_job_template=template))


def _new_pool(command: str) -> WorkPoolCreate:
    template = ProcessWorker.get_default_base_job_template()
    variables = template["variables"]["properties"]
    variables["command"]["default"] = command
    variables["working_dir"]["default"] = "."
    description = "Log Sentinel's flow runs, as processes of this machine"
    return WorkPoolCreate(name=POOL, type="process", description=description, base_job_template=template)
