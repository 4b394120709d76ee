"""How far a long command is, on a terminal's standard error; nothing where nobody watches."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sentinel.pipeline.report import Progress, nobody

__all__ = ["working"]

HALF_S = 0.5


@contextmanager
def working() -> Iterator[Progress]:
    """A bar a step with its share, lines a second and the time left; `nobody` where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield nobody
        return
    from rich.console import Console  # takes a tenth of a second, which other commands need not wait for
    from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    # standard output is not redirected: it belongs to the answer, which may go elsewhere
    with Bars(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False) as bars:
        steps = dict[str, tuple[TaskID, float]]()

        def show(step: str, done: int, total: int, lines: int) -> None:
            if step not in steps:
                steps[step] = bars.add_task(step, total=None, speed=""), time.monotonic()
            task, begun_s = steps[step]
            took_s = time.monotonic() - begun_s
            speed = f"{lines / took_s:,.0f} lines/s" if lines and took_s > HALF_S else ""
            bars.update(task, completed=done, total=total or None, speed=speed)

        yield show
