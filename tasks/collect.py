"""New lines of the watched folder into the spool."""

from prefect import task

from sentinel.pipeline.collect import collect
from tasks.policy import RETRIES, RETRY_DELAYS_S, is_transient, leave_table, with_sentinel

__all__ = ["collect_new_lines"]

TIMEOUT_S = 900


@task(
    name="collect-new-lines",
    retries=RETRIES,
    retry_delay_seconds=RETRY_DELAYS_S,
    retry_condition_fn=is_transient,
    timeout_seconds=TIMEOUT_S,
    persist_result=False,
)
async def collect_new_lines() -> str:
    """Collect, leave the table of files, and return one line that says what was done."""
    report = await with_sentinel(collect)
    await leave_table("collect-files", report.table(), report.summary())
    return report.summary()
