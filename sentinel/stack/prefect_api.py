"""What the supervisor asks of Prefect's server, by plain HTTP: pause, count, crash, trigger; no import of it."""

import secrets
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import httpx

from sentinel.errors import TransientError

__all__ = ["PrefectApi"]

TIMEOUT_S = 10.0
ACTIVE = ("RUNNING", "PENDING", "CANCELLING")
OVERDUE_S = 30.0
BUSY = {429, 500, 502, 503, 504}  # its SQLite is locked now and then
BUSY_S = 30.0
BUSY_PAUSE_S = 0.5


class PrefectApi:
    """The REST interface of a Prefect 3 server. All calls raise TransientError when it does not answer as hoped."""

    def __init__(self, url: str, *, key: str, pool: str) -> None:
        self._pool = pool
        user, _, password = key.partition(":")
        self._client = httpx.Client(base_url=url, auth=(user, password), timeout=TIMEOUT_S, trust_env=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _call(self, method: str, path: str, body: object = None, *, patience_s: float = BUSY_S) -> Any:
        """One call, made again for `patience_s` seconds while the server is too busy; all calls can be repeated."""
        until_s = time.monotonic() + patience_s
        while True:
            try:
                answer = self._client.request(method, path, json=body)
                answer.raise_for_status()
            except httpx.HTTPError as exc:
                is_busy = not isinstance(exc, httpx.HTTPStatusError) or exc.response.status_code in BUSY
                if not is_busy or time.monotonic() > until_s:
                    cause = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
                    raise TransientError(f"ask Prefect's server for {path}: {cause}") from exc
                time.sleep(BUSY_PAUSE_S)
            else:
                return answer.json() if answer.content else None

    def is_healthy(self) -> bool:
        """Whether the server answers."""
        try:
            return bool(self._call("GET", "/health", patience_s=0.0))
        except TransientError:
            return False

    def has_worker_since(self, since: datetime) -> bool:
        """Whether a worker of the pool has reported after that moment."""
        try:
            workers = self._call("POST", f"/work_pools/{self._pool}/workers/filter", {}, patience_s=0.0)
        except TransientError:
            return False
        return any(
            worker["status"] == "ONLINE" and datetime.fromisoformat(worker["last_heartbeat_time"]) >= since
            for worker in workers
        )

    def pause(self, *, is_paused: bool) -> None:
        """Pause or resume the pool."""
        self._call("PATCH", f"/work_pools/{self._pool}", {"is_paused": is_paused})

    def active_runs(self) -> list[dict[str, Any]]:
        """The runs of the pool that have begun and not ended."""
        return self._runs({"type": {"any_": list(ACTIVE)}})

    def _runs(self, state: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        runs = {"state": state, **more}
        body = {"flow_runs": runs, "work_pools": {"name": {"any_": [self._pool]}}, "limit": 200}
        found: list[dict[str, Any]] = self._call("POST", "/flow_runs/filter", body)
        return found

    def crash(self, runs: Iterable[dict[str, Any]], message: str) -> int:
        """Mark runs as crashed whose process is known to be gone; gives their concurrency slots back."""
        state = {"type": "CRASHED", "name": "Crashed", "message": message}
        count = 0
        for run in runs:
            self._call("POST", f"/flow_runs/{run['id']}/set_state", {"state": state, "force": True})
            count += 1
        return count

    def drop_overdue(self, now: datetime) -> int:
        """Delete runs that were due while nothing ran, but the newest of each deployment, which makes up for them."""
        before = (now - timedelta(seconds=OVERDUE_S)).isoformat()
        due = self._runs({"type": {"any_": ["SCHEDULED"]}}, expected_start_time={"before_": before})
        newest: set[str] = set()
        dropped = 0
        for run in sorted(due, key=lambda one: str(one["expected_start_time"]), reverse=True):
            if run["deployment_id"] in newest and run["auto_scheduled"]:
                self._call("DELETE", f"/flow_runs/{run['id']}")
                dropped += 1
            newest.add(run["deployment_id"])
        return dropped

    def run(self, deployment: str, *, patience_s: float) -> dict[str, Any]:
        """Run a deployment (`flow/name`) and wait for its end: the state. Repeated while another run is at work.

        A server that is too busy to answer is asked again for as long.
        """
        until_s = time.monotonic() + patience_s
        found = self._call("GET", f"/deployments/name/{deployment}", patience_s=patience_s)
        while True:
            wanted = {"state": {"type": "SCHEDULED"}, "idempotency_key": secrets.token_hex(16)}
            run = self._call("POST", f"/deployments/{found['id']}/create_flow_run", wanted, patience_s=patience_s)
            state = self._wait(run["id"], until_s)
            if state["type"] != "CANCELLED" or time.monotonic() > until_s:
                return state

    def _wait(self, run_id: str, until_s: float) -> dict[str, Any]:
        while True:
            left_s = until_s - time.monotonic()
            state: dict[str, Any] = self._call("GET", f"/flow_runs/{run_id}", patience_s=left_s)["state"]
            if state["type"] in {"COMPLETED", "FAILED", "CANCELLED", "CRASHED"}:
                return state
            if time.monotonic() > until_s:
                raise TransientError(f"wait for run {run_id}: still {state['name']} after the time for it")
            time.sleep(0.5)
