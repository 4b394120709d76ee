"""How far a long command is, on a terminal's standard error; nothing where nobody watches."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sentinel.pipeline.collect import Progress

__all__ = ["reading"]


@contextmanager
def reading(*, is_wanted: bool) -> Iterator[Progress | None]:
    """A bar with lines a second, bytes and the time left; None where standard error is no terminal."""
    if not is_wanted or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # takes a tenth of a second, which other commands need not wait for
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[speed]} lines/s"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task, started_s = bar.add_task("reading", total=None, speed="-"), time.monotonic()

        def show(lines: int, done: int, left: int) -> None:
            speed = f"{lines / max(time.monotonic() - started_s, 1e-3):,.0f}"
            bar.update(task, completed=done, total=done + left, speed=speed)

        yield show
