"""`doctor`: looks at everything, says in plain words what is wrong and what to do; changes nothing."""

import argparse
import http.client
import os
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from sentinel.cli.commands import Run
from sentinel.cli.show import print_json, visible
from sentinel.collect import walk
from sentinel.counted import counted
from sentinel.errors import SentinelError
from sentinel.left_behind import left_behind
from sentinel.pipeline.collect import tell
from sentinel.pipeline.diagnosis import NOTE, OK, PROBLEM, Finding, diagnose
from sentinel.pipeline.facts import DetectorFacts, Facts, ModelFacts, ReaderFacts
from sentinel.pipeline.rounds import READERS, failing_since_s
from sentinel.pipeline.votes import read_votes
from sentinel.records import EVENTS
from sentinel.secrecy import blot
from sentinel.settings import Settings, overlooked
from sentinel.spool import Spool
from sentinel.wiring import MIB, open_registry, open_spool, store_of, watched_of

__all__ = ["doctor", "gather"]

NEWEST = 2_000  # records that are looked at for dates in the future
ASK_TIMEOUT_S, MAX_ANSWER = 1.0, 4_000_000
MAX_UNREADABLE = 10
MAX_CHANGED = 10
CHANGED_S = 86_400.0
SIGNS = {OK: "ok     ", NOTE: "note   ", PROBLEM: "PROBLEM"}


def doctor(command: argparse.ArgumentParser) -> Run:
    """Arguments of `doctor`."""
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _doctor


def _doctor(options: argparse.Namespace, settings: Settings) -> int:
    found = diagnose(gather(settings, time.time()))
    findings = [replace(f, what=blot(f.what), advice=blot(f.advice)) for f in found]
    problems = sum(finding.state == PROBLEM for finding in findings)
    if options.json:
        rows = [{"check": f.check, "state": f.state, "what": f.what, "advice": f.advice} for f in findings]
        print_json({"healthy": not problems, "problems": problems, "findings": rows})
    else:
        for finding in findings:
            _show(finding)
        print("all is well" if not problems else counted(problems, "problem"))
    return 1 if problems else 0


def _show(finding: Finding) -> None:
    print(f"{SIGNS[finding.state]}  {finding.check:14}  {visible(finding.what)}")
    if finding.advice:
        print(f"{'':25}→ {visible(finding.advice)}")


def gather(settings: Settings, now_s: float) -> Facts:
    """Look at everything; what cannot be looked at is a failure of its check. Makes no file and no folder."""
    known: dict[str, Any] = {"failures": {}}
    looks: dict[str, Callable[[Settings, float], dict[str, Any]]] = {
        "store": _look_at_store,
        "spool": _look_at_spool,
        "disk": _look_at_disk,
        "model": _look_at_models,
        "home": _look_at_home,
        "watched folder": _look_at_watched,
        "ports": _look_at_ports,
    }
    for check, look in looks.items():
        try:
            known |= look(settings, now_s)
        except (SentinelError, OSError) as exc:
            known["failures"][check] = (str(exc), "")
    return Facts(now_s, **known)


def _look_at_store(settings: Settings, now_s: float) -> dict[str, Any]:
    kind = "elasticsearch" if settings.elastic_addr else "parquet"
    if kind == "parquet" and not settings.log_sentinel_home.exists():
        return {"kind": kind}
    with closing(store_of(settings)) as store:
        return {"kind": kind, "store": store.inspect(), "left_behind": left_behind(settings)}


def _look_at_spool(settings: Settings, now_s: float) -> dict[str, Any]:
    if not (settings.log_sentinel_home / "spool").is_dir():
        return {}
    with open_spool(settings) as spool:
        found = [(q.stream, q.first, q.last, q.dead) for q in spool.quarantined()]
        return {
            "ledger": spool.ledger(),
            "readers": {name: _reader(spool, name, stream) for name, stream in READERS.items()},
            "letters": spool.letter_counts(),
            "quarantined": found,
            "changed": _changed(spool, now_s),
            **_newest(spool, now_s),
        }


def _reader(spool: Spool, name: str, stream: str) -> ReaderFacts:
    position = spool.position(name)
    behind = spool.last_sequence(stream) - position.sequence
    return ReaderFacts(behind, position.attempts, position.error, failing_since_s(spool, name))


def _changed(spool: Spool, now_s: float) -> list[str]:
    """The files whose format changed within the last day."""
    changes = [str(change) for change in read_votes(spool).said_since(now_s - CHANGED_S)]
    more = [f"… and {counted(len(changes) - MAX_CHANGED, 'file')} more"] if len(changes) > MAX_CHANGED else []
    return changes[:MAX_CHANGED] + more


def _newest(spool: Spool, now_s: float) -> dict[str, Any]:
    """When the newest records were received, and which sources date theirs in the future."""
    after = max(0, spool.last_sequence(EVENTS) - NEWEST)
    frame = spool.read(EVENTS, after, NEWEST)
    if frame.is_empty():
        return {}
    seconds = pl.col("timestamp").dt.epoch("ms").max() / 1000 - now_s
    ahead = frame.group_by(pl.col("source").fill_null("(none)")).agg(seconds.alias("ahead")).sort("source")
    received = float(frame["received"].dt.epoch("ms").max()) / 1000  # type: ignore[arg-type]  # polars' max is any type
    return {"newest_received_s": received, "ahead": {source: s for source, s in ahead.iter_rows() if s > 0}}


def _look_at_disk(settings: Settings, now_s: float) -> dict[str, Any]:
    disk = os.statvfs(_nearest(settings.log_sentinel_home))
    return {
        "free_bytes": disk.f_bavail * disk.f_frsize,
        "min_free_bytes": settings.log_sentinel_min_free_mb * MIB,
    }


def _look_at_models(settings: Settings, now_s: float) -> dict[str, Any]:
    if not (settings.log_sentinel_home / "models").is_dir():
        return {}
    registry = open_registry(settings)
    try:
        version = registry.champion()
    except SentinelError as exc:
        return {"model": ModelFacts("(champion)", problem=str(exc))}
    if version is None:
        return {}
    try:
        registry.load(version)
        manifest = registry.manifest(version)
        return {"model": ModelFacts(version, manifest.confidence, is_of_lexicon=manifest.is_of_lexicon)}
    except SentinelError as exc:
        return {"model": ModelFacts(version, problem=str(exc))}


def _look_at_home(settings: Settings, now_s: float) -> dict[str, Any]:
    home = settings.log_sentinel_home
    secret = [home / "signing.key", *(home / name for name in ("spool", "store", "models", "detector"))]
    closed = not home.exists() or not home.stat().st_mode & 0o077
    place = _nearest(home)
    return {
        "open_paths": [] if closed else [str(p) for p in secret if p.exists() and p.stat().st_mode & 0o077],
        "unwritable": "" if os.access(place, os.W_OK | os.X_OK) else str(place),
    }


def _nearest(home: Path) -> Path:
    """The home, or the next folder above it that is there."""
    home = home.absolute()
    return next(folder for folder in (home, *home.parents) if folder.exists())


def _look_at_watched(settings: Settings, now_s: float) -> dict[str, Any]:
    watched = watched_of(settings)
    if not settings.log_sentinel_dir and not settings.own_folder.exists():
        return {"watched": str(watched), "overlooked": overlooked(settings)}
    found = walk(watched)
    unreadable = [f"{path}: {reason}" for path, reason in found.problems]
    unreadable += [f"{e.path}: it may not be read" for e in found.entries if not os.access(e.location, os.R_OK)]
    shown = unreadable[:MAX_UNREADABLE]
    if len(unreadable) > len(shown):
        shown.append(f"… and {len(unreadable) - len(shown)} more")
    return {
        "watched": str(watched),
        "unreadable": shown,
        "passed": tell(found.passed),
        "overlooked": overlooked(settings),
    }


def _look_at_ports(settings: Settings, now_s: float) -> dict[str, Any]:
    host = settings.log_sentinel_host
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 what listens everywhere listens here
    listeners = {port: _listener(host, port) for port in settings.log_sentinel_ports if port}
    ours = [port for port, listener in listeners.items() if listener == "ours"]
    return {"ports": listeners, "detector": _detector(settings, host, ours[0]) if ours else None}


def _listener(host: str, port: int) -> str:
    """Who answers there: "ours", "free", or what it says."""
    try:
        answer = _asked(host, port, "/health")
    except ConnectionRefusedError:
        return "free"
    except (OSError, http.client.HTTPException, ValueError):
        return "another program listens there"
    is_ours = isinstance(answer, dict) and answer.get("status") == "alive"
    return "ours" if is_ours else "another program listens there"


def _detector(settings: Settings, host: str, port: int) -> DetectorFacts:
    """How the server that answers there says that live detection fares."""
    try:
        answer = _asked(host, port, "/status", key=settings.log_sentinel_key)
        detect = answer["readers"]["detect"]
        return DetectorFacts(int(detect["lag"]), detect["error"] or answer["model_problem"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as exc:
        return DetectorFacts(0, f"the server on {port} does not say how it is ({exc!r})")


def _asked(host: str, port: int, path: str, *, key: str | None = None) -> Any:
    """What a server answers, from JSON; one that has a key answers with it alone."""
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    connection = http.client.HTTPConnection(host, port, timeout=ASK_TIMEOUT_S)
    try:
        connection.request("GET", path, headers=headers)
        return orjson.loads(connection.getresponse().read(MAX_ANSWER))
    finally:
        connection.close()
