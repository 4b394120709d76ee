"""The children and their order: up from the server to the worker, down from the worker to the server."""

import logging
import sys
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import httpx

from sentinel.errors import TransientError
from sentinel.stack.child import Child
from sentinel.stack.first_run import run_first
from sentinel.stack.lifeline import Lifeline
from sentinel.stack.place import Place
from sentinel.stack.prefect_api import PrefectApi

__all__ = ["Stack", "Stopped"]

log = logging.getLogger(__name__)

POOL = "sentinel"
STEP_S = 0.2
START_S = 180.0  # a fresh database on a slow disk, with nothing compiled
DRAIN_S = 60.0
LOG_CHECK_S = 60.0
GONE = "The stack was not running: the process of this run is gone. The next run goes on where it stopped."
WORKER_GONE = "The worker died and its runs with it. The next run goes on where this one stopped."


class Stopped(Exception):  # noqa: N818 no error: somebody asked
    """A signal asked for the end."""


class Stack:
    """Prefect's server, its worker, our server and the feeder of sample data."""

    def __init__(
        self,
        place: Place,
        lifeline: Lifeline,
        *,
        environment: Mapping[str, str],
        prefect_key: str,
        is_sample: bool,
        say: Callable[[str], None],
    ) -> None:
        self.stopping = threading.Event()
        self._place = place
        self._is_sample = is_sample
        self._say = say
        self._prefect = PrefectApi(place.prefect_url, key=prefect_key, pool=POOL)
        self._has_lost_runs = False
        logs = place.home / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)

        def child(name: str, *arguments: str) -> Child:
            log_path = logs / f"{name}.log"
            return Child(
                name,
                arguments,
                python=sys.executable,
                root=place.root,
                environment=environment,
                log_path=log_path,
                lifeline=lifeline,
            )

        prefect = ("prefect", "--no-prompt")
        self._server = child("prefect-server", "sentinel.stack.prefect_server", "--no-prompt", "server", "start")
        self._deployments = child("deployments", "deployments")
        self._worker = child("worker", *prefect, "worker", "start", "--pool", POOL, "--name", "stack")
        self._api = child("api", "serving")
        self._feed = child("feed", "sentinel.stack.feed", str(place.own_folder), str(place.home / "sample.written"))

    def start(self) -> None:
        """Start everything and wait until it works.

        Raises Stopped when asked to stop meanwhile, TransientError when a part does not come up.
        """
        self._say("starting: Prefect's server, deployments, worker and the API (a new home takes half a minute)")
        for child in (self._server, self._api, *([self._feed] if self._is_sample else [])):
            child.start()
        self._wait(self._server, self._prefect.is_healthy)
        self._deployments.start()
        self._wait_for_end(self._deployments)
        self._clear_leftovers()
        since = datetime.now(UTC)
        self._worker.start()
        self._wait(self._api, self._is_api_ready)
        self._wait(self._worker, lambda: self._prefect.has_worker_since(since))
        self._announce()
        first = {"is_sample": self._is_sample, "say": self._say}
        threading.Thread(target=run_first, args=(self._place, self._prefect), kwargs=first, daemon=True).start()

    def watch(self) -> None:
        """Keep everything running until asked to stop (raises Stopped)."""
        checked_s = time.monotonic()
        while True:
            self._pause()
            for child in self._kept():
                self._keep(child)
            if time.monotonic() - checked_s > LOG_CHECK_S:
                checked_s = time.monotonic()
                for child in self._kept():
                    child.trim_log()

    def stop(self, at_once: threading.Event) -> None:
        """Pause the pool, wait for running flows, end the worker, the API, the server; quickly if `at_once` is set."""
        self._say("stopping: flows that run are waited for (once more Ctrl-C: not)")
        self._feed.stop(patience_s=2.0)
        if self._worker.is_running:
            self._drain(at_once)
        self._deployments.stop(patience_s=1.0)
        self._worker.stop(patience_s=2.0 if at_once.is_set() else 10.0)
        if self._server.is_running:
            self._crash_active(GONE)
        self._api.stop(patience_s=2.0 if at_once.is_set() else 30.0)
        self._server.stop(patience_s=2.0 if at_once.is_set() else 15.0)
        self._prefect.close()
        self._say("stopped")

    def _kept(self) -> list[Child]:
        return [self._server, self._api, self._worker, *([self._feed] if self._is_sample else [])]

    def _pause(self) -> None:
        """A short sleep. Raises Stopped when asked to stop."""
        if self.stopping.wait(STEP_S):
            raise Stopped

    def _wait(self, child: Child, is_ready: Callable[[], bool]) -> None:
        """Until the child works. Raises TransientError when it ends or takes too long."""
        until_s = time.monotonic() + START_S
        while not is_ready():
            child.check_started()
            if time.monotonic() > until_s:
                raise TransientError(f"start {child.name}: not ready after {START_S:.0f} s; {child.last_words()}")
            self._pause()

    def _wait_for_end(self, child: Child) -> None:
        """Until a child that does one thing has done it. Raises TransientError when it failed."""
        while child.exit_code is None:
            self._pause()
        if child.exit_code:
            child.check_started()

    def _keep(self, child: Child) -> None:
        """Start a child again that has died, each time after a longer pause."""
        pause_s = child.plan_restart()
        if pause_s is not None:
            self._say(f"{child.name} ended with code {child.exit_code}: again in {pause_s:.0f} s; {child.last_words()}")
            self._has_lost_runs |= child is self._worker
        if self._has_lost_runs and self._crash_active(WORKER_GONE):
            self._has_lost_runs = False
        if child is self._worker and self._has_lost_runs:
            return
        if child.restart_if_due():
            log.info("restarted child=%s pid=%d", child.name, child.pid)

    def _clear_leftovers(self) -> None:
        """What an earlier stack left: runs whose process is gone, runs that were due meanwhile, a paused pool."""
        crashed = self._prefect.crash(self._prefect.active_runs(), GONE)
        dropped = self._prefect.drop_overdue(datetime.now(UTC))
        self._prefect.pause(is_paused=False)
        log.info("cleared crashed=%d overdue=%d", crashed, dropped)

    def _crash_active(self, message: str) -> bool:
        """Mark the runs of a worker that is gone; False when the server does not answer now."""
        try:
            self._prefect.crash(self._prefect.active_runs(), message)
        except TransientError as exc:
            log.warning("left runs open error=%s", exc)
            return False
        return True

    def _drain(self, at_once: threading.Event) -> None:
        """Take no new run and wait for those at work."""
        try:
            self._prefect.pause(is_paused=True)
            until_s = time.monotonic() + DRAIN_S
            while self._prefect.active_runs() and time.monotonic() < until_s and not at_once.wait(STEP_S):
                pass
        except TransientError as exc:
            log.warning("stopped without draining error=%s", exc)

    def _is_api_ready(self) -> bool:
        try:
            return httpx.get(f"{self._place.api_url}/ready", timeout=5.0, trust_env=False).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _announce(self) -> None:
        place = self._place
        ports = " and ".join(str(port) for port in place.ports)
        self._say(
            f"Log Sentinel is up (ports {ports} are one server):\n"
            f"  send logs      {place.api_url.rpartition(':')[0]}:{place.ports[-1]}/logs\n"
            f"  anomalies      {place.api_url}/anomalies\n"
            f"  state          {place.api_url}/status\n"
            f"  Prefect        {place.prefect_url.removesuffix('/api')}\n"
            f"                 (to log in, paste PREFECT_API_AUTH_STRING of {place.profile})\n"
            f"  watched folder {place.watched}\n"
            f"  logs of parts  {place.home / 'logs'}\n"
            "Ctrl-C stops everything."
        )
