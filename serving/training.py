"""Training in a process of its own: `/predict` does not feel it, a crash of it hurts nobody, one at a time."""

import asyncio
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from sentinel.durable import make_private_dir
from sentinel.errors import TerminalError, TransientError
from serving.problems import ProblemError

__all__ = ["COMMAND", "Trainer"]

log = logging.getLogger(__name__)

ONE_THREAD = ("OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1", "POLARS_MAX_THREADS=1")
COMMAND = ("env", *ONE_THREAD, "nice", "-n", "10", sys.executable, "-m", "sentinel.cli", "train", "--json")
"""`env` and `nice` replace themselves by the next: there is one process, and its threads are all polite."""

EXIT_TRANSIENT, EXIT_TERMINAL = 1, 2
SPEAKER = "sentinel train: "
BUSY = "train: busy"  # the flow trains, or the command: another process holds the registry's lock
STOP_GRACE_S = 3.0

STOPPING = "train: the server is stopping; the model in service stays, train again when it is up"


class Trainer:
    """Starts the training command and reads its one line of JSON. Used by the event loop alone."""

    def __init__(self, folder: Path, *, command: Sequence[str] = COMMAND) -> None:
        self._folder, self._command = folder, tuple(command)
        self._process: asyncio.subprocess.Process | None = None
        self._busy = self._stopping = False
        self.last: dict[str, object] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a training is under way here."""
        return self._busy

    @contextlib.contextmanager
    def claim(self) -> Iterator[None]:
        """Be the one training of this server, or raise ProblemError 409."""
        if self._busy:
            raise ProblemError(409, "A training is under way already; wait for it, then send this one again.")
        self._busy = True
        try:
            yield
        finally:
            self._busy = False

    async def from_lines(self, lines: bytes, *, exclude_anomalies: bool | None = None) -> dict[str, object]:
        """Train on NDJSON. Errors as `from_store`."""
        with contextlib.ExitStack() as stack:
            try:
                where = tempfile.TemporaryDirectory(dir=make_private_dir(self._folder), prefix="train-")
                path = Path(stack.enter_context(where)) / "lines.ndjson"
                await asyncio.get_running_loop().run_in_executor(None, path.write_bytes, lines)
            except OSError as exc:
                what = f"train: keep the lines in {self._folder}: {exc.strerror}"
                raise TransientError(f"{what}; the model in service stays, see to the disk") from exc
            return await self._run("--file", str(path), *_switch(exclude_anomalies))

    async def from_store(self, *, exclude_anomalies: bool | None = None) -> dict[str, object]:
        """Train on the newest records of the store; `exclude_anomalies` None is the command's default.

        Raises TransientError where a repeat may help, TerminalError where there is nothing to learn from.
        """
        return await self._run(*_switch(exclude_anomalies))

    async def stop(self) -> None:
        """End a training under way; the model in service stays."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        except TimeoutError:
            process.kill()

    async def _run(self, *arguments: str) -> dict[str, object]:
        started_s = time.monotonic()
        if self._stopping:
            raise TransientError(STOPPING)
        process = await asyncio.create_subprocess_exec(
            *self._command,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: we end it in order
        )
        self._process = process
        if self._stopping:  # the signal came while the process was being started
            process.terminate()
        try:
            out, err = await process.communicate()
        finally:
            self._process = None
        return self._answer(process.returncode or 0, out, err, time.monotonic() - started_s)

    def _answer(self, code: int, out: bytes, err: bytes, took_s: float) -> dict[str, object]:
        if self._stopping and code:
            raise TransientError(STOPPING)
        if code:
            raise _failure(code, _last_line(err))
        answer: dict[str, object] = orjson.loads(_last_line(out))
        log.info(
            "trained model=%s rows=%s promoted=%s took_s=%.1f",
            answer.get("model_version"),
            answer.get("rows"),
            answer.get("promoted"),
            took_s,
        )
        self.last = {**answer, "finished_s": time.time()}
        return answer


def _switch(exclude_anomalies: bool | None) -> tuple[str, ...]:
    if exclude_anomalies is None:
        return ()
    return ("--exclude-anomalies",) if exclude_anomalies else ("--no-exclude-anomalies",)


def _failure(code: int, said: str) -> Exception:
    """What exit code and last words mean; words that are not the command's own (a traceback) are only logged."""
    words = said.removeprefix(SPEAKER)
    if not said.startswith(SPEAKER) or code not in {EXIT_TRANSIENT, EXIT_TERMINAL}:
        log.error("training failed code=%d said=%s", code, said)
        return TransientError(
            f"train: the process ended with code {code}; the model in service stays, and the server's log says more"
        )
    if code == EXIT_TERMINAL:
        return TerminalError(words)
    if words.startswith(BUSY):
        return ProblemError(409, f"{words[0].upper()}{words[1:]}.")
    return TransientError(words)


def _last_line(text: bytes) -> str:
    """The last line that is not blank."""
    lines = (line for line in reversed(text.decode(errors="replace").splitlines()) if line.strip())
    return next(lines, "nothing").strip()
