"""One child process: started in a group of its own with a log file, watched, started again when it dies, stopped."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from sentinel.errors import TransientError
from sentinel.stack.lifeline import Lifeline, is_group_alive, kill_group

__all__ = ["Child"]

LOG_BYTES = 16 * 1024 * 1024  # then a log file becomes the older one of two
TAIL_LINES = 15
BACKOFF_CAP_S = 30.0
STEADY_S = 60.0  # a child that lived this long has earned a quick restart
STEP_S = 0.05


class Child:
    """A module of this Python, run as `python -m`, with what it prints in `log_path`."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        python: str,
        root: Path,
        environment: Mapping[str, str],
        log_path: Path,
        lifeline: Lifeline,
    ) -> None:
        self.name = name
        self.log_path = log_path
        self._command = [python, "-m", *arguments]
        self._root = root
        self._environment = dict(environment)
        self._lifeline = lifeline
        self._process: subprocess.Popen[bytes] | None = None
        self._started_s = 0.0
        self._deaths = 0
        self._restart_s: float | None = None

    @property
    def pid(self) -> int:
        """The number of the process, and of its group."""
        assert self._process is not None, "started"
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs (or was never started)."""
        return None if self._process is None else self._process.poll()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it. Signals reach it from us alone: Ctrl-C in a terminal does not."""
        self.trim_log()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 our own modules, no shell
                self._command,
                cwd=self._root,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._lifeline.add(self._process.pid)
        self._started_s = time.monotonic()
        self._restart_s = None

    def trim_log(self) -> None:
        """Make a long log file the older one of two; a running child goes on in the emptied one."""
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            older = self.log_path.with_name(self.log_path.name + ".1")
            older.write_bytes(self.log_path.read_bytes())
            with self.log_path.open("r+b") as log:
                log.truncate(0)

    def check_started(self) -> None:
        """Raises TransientError with the end of its log when it has ended."""
        if self.exit_code is not None:
            raise TransientError(f"start {self.name}: it ended with code {self.exit_code}; {self.last_words()}")

    def last_words(self) -> str:
        """Where its log is, and how that ends."""
        lines = self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES:] if self.log_path.exists() else []
        return "\n  ".join([f"{self.log_path} ends:", *lines])

    def plan_restart(self) -> float | None:
        """When it has just died: end what it left, and return in how many seconds it is started again."""
        if self._process is None or self.exit_code is None or self._restart_s is not None:
            return None
        self._clear_group()
        now_s = time.monotonic()
        self._deaths = 0 if now_s - self._started_s > STEADY_S else self._deaths + 1
        pause_s = min(BACKOFF_CAP_S, 0.5 * 2.0**self._deaths)
        self._restart_s = now_s + pause_s
        return pause_s

    def restart_if_due(self) -> bool:
        """Start it again once its pause is over."""
        if self._restart_s is None or time.monotonic() < self._restart_s:
            return False
        self.start()
        return True

    def stop(self, *, patience_s: float) -> None:
        """Ask it to end (SIGTERM), wait, then end it and whatever it started."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._clear_group()
        self._restart_s = None

    def _clear_group(self) -> None:
        """End what is left in the group of a process that has ended."""
        kill_group(self.pid, signal.SIGKILL)
        until_s = time.monotonic() + 2.0
        while is_group_alive(self.pid) and time.monotonic() < until_s:
            time.sleep(STEP_S)
        if not is_group_alive(self.pid):
            self._lifeline.remove(self.pid)
