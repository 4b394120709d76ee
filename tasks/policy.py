"""What all tasks share: when Prefect tries again, a thread for the verb, and the table that a run leaves."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import anyio.to_thread
from prefect.artifacts import acreate_table_artifact

from sentinel.errors import TransientError
from sentinel.pipeline.parts import Sentinel
from sentinel.settings import load_settings
from sentinel.wiring import opened

__all__ = ["RETRIES", "RETRY_DELAYS_S", "is_transient", "leave_table", "with_sentinel"]

T = TypeVar("T")

RETRIES = 2
RETRY_DELAYS_S = [2.0, 10.0]
TABLE_ROWS = 200


async def is_transient(task: object, run: object, state: Any) -> bool:
    """Whether the failure is one that the same call may get over: the only kind Prefect repeats."""
    try:
        await state.aresult()
    except TransientError:
        return True
    except Exception:
        return False
    return False


async def with_sentinel(verb: Callable[[Sentinel], T]) -> T:
    """Run a verb on the objects of the settings, in a thread, so that the run's heartbeat goes on beside it."""

    def work() -> T:
        with opened(load_settings()) as sentinel:
            return verb(sentinel)

    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


async def leave_table(key: str, rows: Sequence[dict[str, object]], description: str) -> None:
    """Leave the table of what a run did, its first rows if they are many, under the flow's own key."""
    shown = [{name: _plain(value) for name, value in row.items()} for row in rows[:TABLE_ROWS]]
    if len(rows) > TABLE_ROWS:
        description = f"{description} (the first {TABLE_ROWS} of {len(rows)} rows)"
    await acreate_table_artifact(table=shown or [{"result": "nothing to do"}], key=key, description=description)


def _plain(value: object) -> object:
    """A value that JSON knows."""
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
