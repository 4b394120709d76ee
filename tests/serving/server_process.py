"""A real `python -m serving` in a process of its own, on free ports, with a home of its own."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
START_S = 90.0
COMMAND = (sys.executable, "-m", "serving")


def environment(home: Path, **settings: str) -> dict[str, str]:
    """The environment of a server that has nothing but this home."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOG_SENTINEL_", "ELASTIC_"))}
    own = {"LOG_SENTINEL_HOME": str(home), "LOG_SENTINEL_PORTS": "0,0", "LOG_SENTINEL_MIN_FREE_MB": "1"}
    return {**kept, "PYTHONPATH": str(ROOT), **own, **settings}


class Server:
    """The process, the addresses it listens on, and a client for the first."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.process = subprocess.Popen(
            COMMAND, cwd=home, env=environment(home, **settings), stderr=subprocess.PIPE, text=True
        )
        self.said: list[str] = []
        self._listening = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.urls: list[str] = []
        self._await_start()
        self.client = httpx.Client(base_url=self.urls[0], timeout=60)
        eventually(lambda: not self._is_starting())

    def _is_starting(self) -> bool:
        """It listens before its first model is loaded, and says so."""
        return bool(self.client.get("/ready").json().get("reasons") == ["starting"])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if "listening on=" in line:
                self._listening.set()
        self._listening.set()

    def _await_start(self) -> None:
        assert self._listening.wait(START_S), "".join(self.said)
        lines = [line for line in self.said if "listening on=" in line]
        assert lines, "".join(self.said)
        self.urls = re.findall(r"http://[0-9.:]+", lines[0])

    def kill(self) -> None:
        """As the power would."""
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """In order; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._end()

    def _end(self) -> int:
        self.client.close()
        code = self.process.wait(60)
        self._reader.join(10)
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextlib.contextmanager
def serving(home: Path, **settings: str) -> Iterator[Server]:
    """A server for the length of the block; killed if it does not end by itself."""
    home.mkdir(parents=True, exist_ok=True)
    server = Server(home, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            try:
                server.stop()
            finally:
                server.process.kill()


def eventually(claim: object, *, timeout_s: float = 60.0) -> None:
    """Wait until a claim (a callable) is true."""
    assert callable(claim)
    deadline = time.monotonic() + timeout_s
    while not claim():
        if time.monotonic() > deadline:
            raise TimeoutError("it has not become true in time")
        time.sleep(0.05)


def orders_until(now: datetime) -> list[dict[str, str]]:
    """What a quiet service says in two and a half hours, from three hours before on: enough to learn from."""
    return [
        {
            "timestamp": (now - timedelta(hours=3) + timedelta(seconds=3 * n)).isoformat(),
            "level": "INFO",
            "message": f"order {n % 50} stored in {n % 7} ms",
            "source": "orders",
        }
        for n in range(3_000)
    ]
