"""The real stack on ports and a home of its own: scheduled runs, the four commands, deaths, and the end."""

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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0
DEPLOYMENTS = {
    "collect-files/every-minute": "collect-files",
    "load-elastic/every-minute": "load-elastic",
    "retrain-detector/nightly": "retrain-detector",
    "score-batch/every-10-minutes": "score-batch",
}


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


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`sentinel up` in a checkout of its own, with sample data, until the end of this module."""
    root = tmp_path_factory.mktemp("checkout")
    (root / "prefect.yaml").write_bytes((ROOT / "prefect.yaml").read_bytes())
    first, second, prefect = free_ports(3)
    (root / "prefect.toml").write_text((ROOT / "prefect.toml").read_text().replace("4211", str(prefect)))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root / "nobody"),
        "PYTHONPATH": str(ROOT),
        "LOG_SENTINEL_PORTS": f"{first},{second}",
        "LOG_SENTINEL_HOME": str(root / "var"),
    }
    with (root / "up.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "sentinel.cli", "up"], cwd=root, env=environment, stdout=log, stderr=log
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


def test_anomalies_are_explained_when_a_new_home_starts(stack: Running) -> None:
    """Without any further step there is a model, and strange lines with their reasons."""
    anomalies = wait_until(lambda: stack.get(f"{stack.api}/anomalies?limit=5"), lambda: stack.printed)

    assert all(one["kind"] and one["reasons"] for one in anomalies)
    assert stack.get(f"{stack.api}/status")["model"]["version"]


def test_scheduled_run_completes(stack: Running) -> None:
    """The scheduler makes runs, and the worker runs them."""
    begun = datetime.fromtimestamp(0, UTC)

    assert wait_until(lambda: stack.scheduled_since(begun), lambda: stack.printed)


@pytest.mark.parametrize("deployment", DEPLOYMENTS)
def test_deployment_runs_when_asked_in_a_new_shell(stack: Running, deployment: str) -> None:
    """From the root, with nothing exported, each command ends well and leaves a table."""
    shell = {"PATH": "/usr/bin:/bin", "HOME": str(stack.root / "nobody"), "PYTHONPATH": str(ROOT)}

    def run() -> str | None:
        done = subprocess.run(
            [sys.executable, "-m", "prefect", "deployment", "run", deployment, "--watch"],
            cwd=stack.root,
            env=shell,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0 or "Cancelled" in done.stdout, done.stdout + done.stderr
        return done.stdout if done.returncode == 0 else None  # cancelled: the scheduled run was just at work

    assert "Completed" in str(wait_until(run, lambda: stack.printed))
    assert stack.get(f"{stack.prefect}/artifacts/{DEPLOYMENTS[deployment]}/latest")["type"] == "table"


@pytest.mark.parametrize("part", ["worker start", "server start", "-m serving"])
def test_next_scheduled_run_completes_when_a_part_was_killed(stack: Running, part: str) -> None:
    """kill -9 of the worker, of Prefect's server or of the API: it is started again, and nothing is blocked."""
    stack.kill(part)
    killed = datetime.now(UTC)

    assert wait_until(lambda: stack.scheduled_since(killed), lambda: stack.printed)
    assert wait_until(lambda: any(part in line for line in stack.processes().values()), lambda: stack.printed)


def test_nothing_is_left_when_stopped(stack: Running) -> None:
    """Ctrl-C ends everything it started, with exit code 0, and leaves no run open."""
    stack.process.send_signal(signal.SIGINT)

    assert stack.process.wait(PATIENCE_S) == 0
    wait_until(lambda: not stack.processes(), lambda: str(stack.processes()), 30.0)
    assert stack.printed.rstrip().endswith("stopped")
