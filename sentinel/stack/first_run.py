"""The first hour of a new home in a minute: collect, load, train and score at once instead of waiting for the night."""

import logging
from collections.abc import Callable
from typing import Any

import httpx

from sentinel.counted import counted
from sentinel.errors import TransientError
from sentinel.stack.place import Place
from sentinel.stack.prefect_api import PrefectApi

__all__ = ["run_first"]

log = logging.getLogger(__name__)

PATIENCE_S = 600.0
ENOUGH_RECORDS = 1_000  # of the user's own; fewer teach nothing worth an alarm
TIMEOUT_S = 10.0


def run_first(place: Place, prefect: PrefectApi, *, is_sample: bool, say: Callable[[str], None]) -> None:
    """Where there is no model yet, learn one from what lies there, and score it. Says what came of it."""
    try:
        if _ask(place, "/ready").get("model"):
            return
        for deployment in ("collect-files/every-minute", "load-elastic/every-minute"):
            _must(prefect, deployment)
        accepted = int(_ask(place, "/status")["ledger"]["accepted"])
        if not is_sample and accepted < ENOUGH_RECORDS:
            few = counted(accepted, "record is", "records are")
            say(f"no model yet: {few} too few; POST /train, or run 'retrain-detector/nightly'")
            return
        for deployment in ("retrain-detector/nightly", "score-batch/every-10-minutes"):
            _must(prefect, deployment)
        say(f"learnt from {counted(accepted, 'record')}; anomalies with their reasons: {place.api_url}/anomalies")
    except (TransientError, httpx.HTTPError, KeyError) as exc:
        say(f"no first model: {exc}; run 'retrain-detector/nightly' when the cause is gone")


def _must(prefect: PrefectApi, deployment: str) -> None:
    """Run a deployment to its end. Raises TransientError when it does not complete."""
    state = prefect.run(deployment, patience_s=PATIENCE_S)
    log.info("ran deployment=%s state=%s %s", deployment, state["name"], state.get("message") or "")
    if state["type"] != "COMPLETED":
        raise TransientError(f"run {deployment}: {state['name']}: {state.get('message')}")


def _ask(place: Place, path: str) -> dict[str, Any]:
    """Ask our own server."""
    headers = {"Authorization": f"Bearer {place.key}"} if place.key else {}
    answer = httpx.get(place.api_url + path, headers=headers, timeout=TIMEOUT_S, trust_env=False)
    answer.raise_for_status()
    found: dict[str, Any] = answer.json()
    return found
