"""A stack of a checkout, home and ports of its own, and how to ask it; for tests that run the real thing."""

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
import tomllib
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
    home: Path
    api: str
    prefect: str
    process: subprocess.Popen[bytes]
    python: str = sys.executable
    user: int | None = None  # number of the user that it runs as, where that is not ours

    @property
    def prefect_key(self) -> str:
        """The key of Prefect's server, from the file that `prefect.toml` names."""
        profile = self.root / tomllib.loads((self.root / "prefect.toml").read_text())["profiles_path"]
        return str(tomllib.loads(profile.read_text())["profiles"]["log-sentinel"]["PREFECT_API_AUTH_STRING"])

    def ask(self, url: str, body: object = None, *, timeout_s: float = 20) -> Any:
        """GET, or POST where there is a body; with Prefect's key where Prefect is asked."""
        headers = {"Content-Type": "application/json"}
        if url.startswith(self.prefect):
            headers["Authorization"] = "Basic " + base64.b64encode(self.prefect_key.encode()).decode()
        content = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(url, content, headers), timeout=timeout_s) as answer:
            return json.load(answer)

    @property
    def printed(self) -> str:
        return (self.root / "up.log").read_text()

    def get(self, url: str) -> Any:
        return self.ask(url)

    def post(self, path: str, body: object) -> Any:
        return self.ask(self.prefect + path, body)

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
        mark = f"LOG_SENTINEL_HOME={self.home}".encode()
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
        shell = {"PATH": "/usr/bin:/bin", "HOME": str(self.root / "nobody"), "PYTHONPATH": python_path(self.python)}

        def run() -> bool:
            done = subprocess.run(
                [self.python, "-m", "prefect", "deployment", "run", deployment, "--watch"],
                cwd=self.root,
                env=shell,
                **as_user(self.user),
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_S,
            )
            is_busy = "Cancelled" in done.stdout or "503 Service Unavailable" in done.stderr + done.stdout
            assert done.returncode == 0 or is_busy, done.stdout + done.stderr
            assert done.returncode or "Completed" in done.stdout, done.stdout
            return done.returncode == 0  # else the scheduled run was just at work, or the server's database locked

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
    raise TimeoutError(told())


def python_path(python: str) -> str:
    """What another Python than ours needs to find our packages."""
    return str(ROOT) if python == sys.executable else f"{ROOT}:{sysconfig.get_path('purelib')}"


def as_user(user: int | None) -> dict[str, Any]:
    """Arguments for subprocess that make the child another user's."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


@contextlib.contextmanager
def running_stack(
    root: Path, *options: str, python: str = sys.executable, user: int | None = None, **settings: str
) -> Iterator[Running]:
    """`sentinel up` in the folder `root`, with further settings, until the end of the block.

    What is scheduled every minute or five comes every half minute here, since tests wait for it. The system's temporary
    folder is one in which somebody else has taken the name that Prefect uses.
    """
    manifest = (ROOT / "prefect.yaml").read_text()
    often, count = re.subn(r"interval: (60|300)\b", "interval: 30", manifest)
    assert count == 2
    (root / "prefect.yaml").write_text(often)
    first, second, prefect = free_ports(3)
    (root / "prefect.toml").write_text((ROOT / "prefect.toml").read_text().replace("4211", str(prefect)))
    taken = root / "of all users"
    taken.mkdir()
    (taken / "runner_storage").touch(mode=0o600)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(root / "nobody"),
        "TMPDIR": str(taken),
        "PYTHONPATH": python_path(python),
        "LOG_SENTINEL_PORTS": f"{first},{second}",
        "LOG_SENTINEL_HOME": str(root / "var"),
        **settings,
    }
    command = [python, "-m", "sentinel.cli", "up", *options]
    with (root / "up.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log, **as_user(user))
    home = Path(environment["LOG_SENTINEL_HOME"])
    running = Running(root, home, f"http://127.0.0.1:{first}", f"http://127.0.0.1:{prefect}/api", process, python, user)
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
