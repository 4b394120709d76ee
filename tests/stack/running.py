"""A stack of a checkout, home and ports of its own, and how to ask it; for tests that run the real thing."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@dataclass
class Running:
    """A started stack and how to ask it."""

    root: Path
    api: str
    prefect: str
    process: subprocess.Popen[bytes]

    @property
    def printed(self) -> str:
        return (self.root / "up.log").read_text()

    def get(self, url: str) -> Any:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)

    def post(self, path: str, body: object) -> Any:
        request = urllib.request.Request(
            self.prefect + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def scheduled_since(self, moment: datetime, flow: str = "collect-files") -> list[Any]:
        """Runs that the scheduler made and that began after this moment and completed."""
        try:
            runs = self.post(
                "/flow_runs/filter",
                {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}},
            )
        except OSError:  # the server is just being started again
            return []
        return [run for run in runs if run["auto_scheduled"] and datetime.fromisoformat(run["start_time"]) > moment]

    def processes(self) -> dict[int, str]:
        """Every process that works for this home, whoever started it: number to command line."""
        mark = f"LOG_SENTINEL_HOME={self.root / 'var'}".encode()
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
        return found

    def run_deployment(self, deployment: str) -> None:
        """`prefect deployment run` as in a new shell, with nothing exported, until it has completed."""
        shell = {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "nobody"), "PYTHONPATH": str(ROOT)}

        def run() -> bool:
            done = subprocess.run(
                [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch"],
                cwd=self.root,
                env=shell,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_S,
            )
            assert done.returncode == 0 or "Cancelled" in done.stdout, done.stdout + done.stderr
            assert done.returncode or "Completed" in done.stdout, done.stdout
            return done.returncode == 0  # cancelled: the scheduled run was just at work

        wait_until(run, lambda: self.printed)

    def kill(self, part: str) -> None:
        """kill -9 the process whose command line holds `part`."""
        victims = [number for number, line in self.processes().items() if part in line]
        assert len(victims) == 1, victims
        os.kill(victims[0], signal.SIGKILL)


def wait_until(claim: Callable[[], Any], told: Callable[[], str], patience_s: float = PATIENCE_S) -> Any:
    until_s = time.monotonic() + patience_s
    while time.monotonic() < until_s:
        found = claim()
        if found:
            return found
        time.sleep(0.5)
    raise AssertionError(told())


@contextlib.contextmanager
def running_stack(root: Path, *options: str, **settings: str) -> Iterator[Running]:
    """`sentinel up` in the folder `root`, with further settings, until the end of the block.

    What is scheduled every minute comes every half minute here, since tests wait for it.
    """
    manifest = (ROOT / "prefect.yaml").read_text()
    assert manifest.count("interval: 60\n") == 2
    (root / "prefect.yaml").write_text(manifest.replace("interval: 60\n", "interval: 30\n"))
    first, second, prefect = free_ports(3)
    (root / "prefect.toml").write_text((ROOT / "prefect.toml").read_text().replace("4211", str(prefect)))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root / "nobody"),
        "PYTHONPATH": str(ROOT),
        "LOG_SENTINEL_PORTS": f"{first},{second}",
        "LOG_SENTINEL_HOME": str(root / "var"),
        **settings,
    }
    with (root / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sentinel.cli", "up", *options], cwd=root, env=environment, stdout=log, stderr=log
        )
    running = Running(root, f"http://127.0.0.1:{first}", f"http://127.0.0.1:{prefect}/api", process)
    try:
        wait_until(
            lambda: "Ctrl-C stops everything" in running.printed or process.poll() is not None,
            lambda: running.printed,
        )
        assert process.poll() is None, running.printed
        yield running
    finally:
        process.kill()
        process.wait()
        wait_until(lambda: not running.processes(), lambda: str(running.processes()), 30.0)
