"""What waits in the spool into the store."""

from prefect import task

from sentinel.pipeline.deliver import deliver
from tasks.policy import RETRIES, RETRY_DELAYS_S, is_transient, leave_table, with_sentinel

__all__ = ["deliver_waiting"]

TIMEOUT_S = 900


@task(
    name="deliver-waiting",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_condition_fn=is_transient,
    timeout_seconds=TIMEOUT_S,
    persist_result=False,
)
async def deliver_waiting() -> str:
    """Deliver up to the mark at the start, leave the table of what was delivered, and return its one line."""
    report = await with_sentinel(deliver)
    await leave_table("load-elastic", report.table(), report.summary())
    return report.summary()
