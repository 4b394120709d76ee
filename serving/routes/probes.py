"""`GET /health`: the process is alive. `GET /ready`: intake can commit. Both without a key."""

import asyncio
import contextlib
import secrets
import time
from datetime import UTC, datetime

import polars as pl
from fastapi import APIRouter
from starlette.responses import Response

import sentinel
from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool
from serving.answers import json_answer
from serving.parts import Parts
from serving.problems import problem
from serving.schemas import Problem

__all__ = ["router"]

FRESH_S = 1.0
PROBE_TIMEOUT_S = 5.0
STARTING = "The server is starting: its model is being loaded; ask again in a second."
PROBE_BLOB = "ready"
PROBE_BYTES = 65_536  # of the record that must fit: a line may still go in where requests of many no longer do


class _TakenBackError(Exception):
    """Rolls the probe's record back."""


class _CommitProbe:
    """Whether a commit works, tried at most once a second."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._reasons: list[str] = []
        self._tried_s = float("-inf")
        self._trying: asyncio.Future[list[str]] | None = None

    async def reasons(self) -> list[str]:
        """Why intake cannot commit; empty when it can."""
        if time.monotonic() - self._tried_s < FRESH_S:
            return self._reasons
        if self._trying is None:
            self._trying = asyncio.get_running_loop().run_in_executor(self._parts.pools.read, self._try)
        done, _ = await asyncio.wait({self._trying}, timeout=PROBE_TIMEOUT_S)
        if not done:
            return [f"a commit takes longer than {PROBE_TIMEOUT_S:.0f} s: the disk of the spool hangs"]
        self._reasons, self._trying, self._tried_s = next(iter(done)).result(), None, time.monotonic()
        return self._reasons

    def _try(self) -> list[str]:
        """A record that is taken back (is there room?), then a commit of a few bytes (does the disk do it?)."""
        spool, now_s = self._parts.sentinel.spool, self._parts.clock()
        try:
            _append_and_take_back(spool, now_s)
            with spool.transaction() as tx:
                tx.put_blob(PROBE_BLOB, str(now_s).encode())
        except Exception as exc:  # whatever it is, intake would meet it too
            return [str(exc) or type(exc).__name__]
        return []


def _append_and_take_back(spool: Spool, now_s: float) -> None:
    """Raises what an append would raise; leaves nothing."""
    with contextlib.suppress(_TakenBackError), spool.transaction() as tx:
        tx.append(_probe_record(now_s))
        raise _TakenBackError


def _probe_record(now_s: float) -> pl.DataFrame:
    """A record of this moment, as large as a request of some hundred lines."""
    moment, text = datetime.fromtimestamp(now_s, UTC), secrets.token_hex(PROBE_BYTES // 2)
    row = {"event_id": "ready", "partition": "none", "timestamp": moment, "received": moment, "message": text}
    return pl.DataFrame([row], schema=RECORD_SCHEMA)


def router(parts: Parts) -> APIRouter:
    """The routes, on these parts."""
    routes = APIRouter()
    probe = _CommitProbe(parts)

    @routes.get("/health", summary="Is the process alive?")
    async def get_health() -> Response:
        """Always 200, as long as the process answers at all."""
        uptime_s = round(parts.clock() - parts.started_s, 1)
        return json_answer({"status": "alive", "version": sentinel.__version__, "uptime_s": uptime_s})

    @routes.get("/ready", summary="Can logs be taken in?", responses={503: {"model": Problem}})
    async def get_ready() -> Response:
        """200 when a record can be committed; a store that is away is shown, and no reason against it.

        503 `starting` until the first model was loaded, or could not be, for ten seconds at the most.
        """
        is_starting = parts.detect.is_starting and parts.clock() - parts.started_s < parts.limits.first_load_s
        if is_starting:
            return problem(503, STARTING, headers={"Retry-After": "1"}, reasons=["starting"])
        reasons = await probe.reasons()
        store = {"kind": parts.sentinel.store.kind, "reachable": parts.watch.is_reachable()}
        model = parts.live.model
        shown = {"store": store, "model": model.version if model is not None else None}
        if reasons:
            return problem(
                503,
                "Logs cannot be taken in for now: see `reasons`; free disk space, or let the store catch up.",
                headers={"Retry-After": "5"},
                reasons=reasons,
                **shown,
            )
        return json_answer({"ready": True, "reasons": [], **shown})

    return routes
