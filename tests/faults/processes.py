"""Processes under test and where they live: free ports, an environment of their own, start, kill, wait until ready."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

__all__ = ["ROOT", "Home", "Server", "free_port", "run_verb", "start_verb"]

ROOT = Path(__file__).parents[2]
READY_S = 300.0  # only a server that never gets there is red for it, not one on a busy machine


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Home:
    """One home of Log Sentinel in a folder of its own, with the environment its processes run in."""

    def __init__(
        self,
        folder: Path,
        *,
        elastic_url: str | None = None,
        settings: Mapping[str, object] | None = None,
        runner: Sequence[str] = ("-m",),
    ) -> None:
        self.folder, self.watched, self.home = folder, folder / "in", folder / "var"
        self.runner = [sys.executable, *runner]
        self.log = folder / "processes.log"
        self.watched.mkdir(parents=True, exist_ok=True)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("ELASTIC_", "LOG_SENTINEL_"))}
        self.environment = inherited | {
            "LOG_SENTINEL_HOME": str(self.home),
            "LOG_SENTINEL_DIR": str(self.watched),
            "LOG_SENTINEL_MIN_FREE_MB": "1",
            "PYTHONPATH": str(ROOT),
        }
        if elastic_url is not None:
            self.environment["ELASTIC_ADDR"] = elastic_url
        self.environment |= {key: str(value) for key, value in (settings or {}).items()}

    def start(self, module: str, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
        """Start `python -m module arguments` in this home; its output goes to `log`."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [*self.runner, module, *arguments],
                cwd=self.folder,
                env=self.environment | environment,
                stdout=subprocess.PIPE if module == "sentinel.cli" else log,
                stderr=log,
            )

    def log_tail(self, count: int = 4000) -> str:
        """The end of what the processes said."""
        return self.log.read_text(errors="replace")[-count:] if self.log.exists() else ""


def start_verb(home: Home, *arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """Start `sentinel <arguments>` as a plain process."""
    return home.start("sentinel.cli", *arguments, **environment)


def run_verb(home: Home, *arguments: str, timeout_s: float = 120.0, **environment: str) -> tuple[int, bytes]:
    """Run `sentinel <arguments>` to its end: exit code and standard output."""
    process = start_verb(home, *arguments, **environment)
    try:
        output, _ = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, output


class Server:
    """The HTTP server of a home: started, killed, asked."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = free_port()
        home.environment["LOG_SENTINEL_PORTS"] = str(self.port)
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_s: list[float] = []  # how long each start took

    def start(self, **environment: str) -> None:
        """Start the process; does not wait."""
        self.process = self.home.start("serving", **environment)

    def wait_ready(self, timeout_s: float = READY_S) -> float:
        """Seconds until /ready answers 200. Raises RuntimeError when the process ends, TimeoutError when time is up."""
        assert self.process is not None
        began, said = time.monotonic(), "nothing"
        while time.monotonic() - began < timeout_s:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}: {self.home.log_tail()}")
            try:
                status, body = self.get("/ready")
            except (OSError, http.client.HTTPException) as exc:
                said = repr(exc)
            else:
                if status == 200:
                    self.ready_s.append(time.monotonic() - began)
                    return self.ready_s[-1]
                said = f"{status} {body[:1000].decode(errors='replace')}"
            time.sleep(0.02)
        raise TimeoutError(f"not ready within {timeout_s} s, /ready said {said} last; its log: {self.home.log_tail()}")

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self, timeout_s: float = 30.0) -> int:
        """SIGTERM, and wait for the end; its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def get(self, path: str, timeout_s: float = 10.0) -> tuple[int, bytes]:
        """Status and body of a GET."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout_s)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self) -> dict[str, object]:
        """GET /status."""
        code, body = self.get("/status")
        if code != 200:
            raise RuntimeError(f"/status answered {code}: {body[:300]!r}")
        answer: dict[str, object] = orjson.loads(body)
        return answer
