"""What is wrong, in plain words, and what to do about it: facts in, findings out; nothing is looked at here."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sentinel.counted import counted
from sentinel.left_behind import COMMAND
from sentinel.pipeline.facts import Facts
from sentinel.spool import Ledger
from sentinel.store import ID_CONFLICT

__all__ = ["NOTE", "OK", "PROBLEM", "Finding", "diagnose"]

OK, NOTE, PROBLEM = "ok", "note", "problem"

CLOCK_TOLERANCE_S = 60.0
FUTURE_S = 3_600.0
IDLE_S = 300.0  # records that wait longer, though the store does not fail, wait for somebody who delivers
SPOOL_SHARE = 0.8
MAX_UNSCORED = 20_000  # records: some seconds' worth of scoring
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    state: str  # OK, NOTE (worth knowing) or PROBLEM
    what: str
    advice: str = ""


def diagnose(facts: Facts) -> list[Finding]:
    """All findings, in a fixed order. What could not be looked at is a problem; what hangs on it is left out."""
    found: list[Finding] = []
    for check, judge in CHECKS.items():
        if check in facts.failures:
            found.append(Finding(check, PROBLEM, *facts.failures[check]))
        elif not (check in OF_SPOOL and "spool" in facts.failures):
            found += [Finding(check, *parts) for parts in judge(facts)]
    return found


def _store(facts: Facts) -> Iterator[tuple[str, ...]]:
    if facts.left_behind:
        yield NOTE, facts.left_behind, f"`{COMMAND}` brings them there, each once"
    if facts.store is None:
        return
    reader = facts.readers.get("deliver")
    if not facts.store.health.reachable:
        since = _since(reader.since_s, facts.now_s) if reader and reader.since_s else ""
        waiting = ""
        if facts.ledger:
            waiting = f"; {counted(facts.ledger.waiting, 'record waits', 'records wait')} in the spool, none is lost"
        yield PROBLEM, f"the store cannot be used{since}: {facts.store.health.detail}{waiting}", _store_advice(facts)
        return
    for what, advice in facts.store.problems:
        yield PROBLEM, what, advice
    if not facts.store.problems:
        yield OK, facts.store.health.detail


def _store_advice(facts: Facts) -> str:
    detail = facts.store.health.detail if facts.store else ""
    if facts.kind == "parquet":
        return "see that the folder can be written to, or set LOG_SENTINEL_HOME elsewhere"
    if "ELASTIC_" in detail:  # the message says itself which setting to look at
        return "correct the setting and restart the server, or start Elasticsearch: delivery then goes on by itself"
    return "start Elasticsearch, or correct ELASTIC_ADDR; delivery goes on by itself"


def _delivery(facts: Facts) -> Iterator[tuple[str, ...]]:
    """Whether what is accepted goes on to the store."""
    is_well = True
    for name, reader in facts.readers.items():
        if reader.attempts and not (name == "deliver" and facts.store and not facts.store.health.reachable):
            is_well = False
            since = _since(reader.since_s, facts.now_s) if reader.since_s else ""
            advice = "the next attempt comes by itself, at the latest after 30 s"
            if "dead letters" in (reader.error or ""):
                advice = "look at them, then `sentinel dead-letters replay` or `sentinel dead-letters drop`"
            yield PROBLEM, f"reader {name} fails{since} ({counted(reader.attempts, 'attempt')}): {reader.error}", advice
    oldest_s = facts.ledger.oldest_waiting_s if facts.ledger else None
    is_failing = any(reader.attempts for reader in facts.readers.values())
    if oldest_s is not None and facts.now_s - oldest_s > IDLE_S and not is_failing:
        is_well = False
        yield (
            PROBLEM,
            f"the oldest record has waited for {_length(facts.now_s - oldest_s)} and nobody delivers",
            "start the server (`sentinel serve`) or the load-elastic deployment, or run `sentinel load`",
        )
    if is_well:
        waiting = facts.ledger.waiting if facts.ledger else 0
        yield OK, f"{counted(waiting, 'record waits', 'records wait')} for delivery"


def _spool(facts: Facts) -> Iterator[tuple[str, ...]]:
    ledger = facts.ledger
    if ledger is None:
        yield NOTE, "nothing has been taken in yet"
        return
    used = f"{ledger.bytes / MIB:.1f} of {ledger.max_bytes / MIB:,.0f} MiB"
    left_s = _seconds_left(ledger, facts.now_s)
    if ledger.bytes >= ledger.max_bytes * 0.99:
        yield PROBLEM, f"the spool is full ({used}): intake answers 503, file reading pauses", SPOOL_ADVICE
    elif ledger.bytes >= ledger.max_bytes * SPOOL_SHARE or (left_s is not None and left_s < 86_400.0):
        when = f"; at this rate it is full in {_length(left_s)}" if left_s is not None else ""
        yield PROBLEM, f"the spool is filling: {used} wait{when}", SPOOL_ADVICE
    elif not ledger.is_balanced:
        yield PROBLEM, "the books of the spool do not balance", "run `sentinel spool verify`"
    else:
        yield OK, f"{used} wait"


SPOOL_ADVICE = "see to the store; if that takes long, raise LOG_SENTINEL_SPOOL_MAX_MB"


def _seconds_left(ledger: Ledger, now_s: float) -> float | None:
    """Seconds until the spool is full, if it goes on filling as since its oldest record; None where it does not."""
    if ledger.oldest_waiting_s is None or ledger.bytes <= 0:
        return None
    age_s = now_s - ledger.oldest_waiting_s
    if age_s < CLOCK_TOLERANCE_S:  # what is delivered as it comes does not fill anything
        return None
    return age_s * (ledger.max_bytes - ledger.bytes) / ledger.bytes


def _disk(facts: Facts) -> Iterator[tuple[str, ...]]:
    if facts.free_bytes is None:
        return
    free, wanted = f"{facts.free_bytes / MIB:,.0f} MiB are free", f"{facts.min_free_bytes / MIB:,.0f} MiB"
    advice = "make room on the disk of LOG_SENTINEL_HOME"
    if facts.free_bytes < facts.min_free_bytes:
        yield PROBLEM, f"the disk is full: {free}, and below {wanted} intake answers 503", advice
    elif facts.free_bytes < 2 * facts.min_free_bytes:
        yield PROBLEM, f"the disk is low: {free}; below {wanted} intake answers 503", advice
    else:
        yield OK, free


def _clock(facts: Facts) -> Iterator[tuple[str, ...]]:
    is_well = True
    clock_s = facts.store.clock_s if facts.store else None
    if clock_s is not None and abs(off_s := facts.now_s - clock_s) > CLOCK_TOLERANCE_S:
        is_well = False
        length = _length(abs(off_s))
        ahead = f"this machine's clock is {length} ahead of that of the store"
        what = ahead if off_s > 0 else f"this machine's clock is {length} behind that of the store"
        yield PROBLEM, what, "set both by NTP; partitions and retention go by this machine's clock"
    if facts.newest_received_s is not None and facts.newest_received_s > facts.now_s + CLOCK_TOLERANCE_S:
        is_well = False
        leap = _length(facts.newest_received_s - facts.now_s)
        yield PROBLEM, f"the newest record was received {leap} in the future: the clock was set back", "set it by NTP"
    for source, ahead_s in facts.ahead.items():
        if ahead_s > FUTURE_S:
            is_well = False
            what = f"records of {source} are dated up to {_length(ahead_s)} in the future"
            yield PROBLEM, what, f"correct the clock or the time zone of {source}"
    if is_well:
        yield OK, "it agrees with the store's" if clock_s is not None else "no record is dated in the future"


def _letters(facts: Facts) -> Iterator[tuple[str, ...]]:
    dead = [(stream, kind, count) for stream, state, kind, count in facts.letters if state == "dead"]
    if not dead:
        yield OK, "none"
    for stream, kind, count in dead:
        what = f"{count} of the {stream} cannot be delivered: {kind}"
        advice = "see `sentinel dead-letters list`; after a fix `sentinel dead-letters replay --all`, else `drop`"
        if kind == ID_CONFLICT:
            what = f"{count} of the {stream}: the store holds another record under the same id ({kind})"
            advice = (
                "two homes of one origin (a copied LOG_SENTINEL_HOME?) write to one index: begin the copy with an "
                "empty home, or give it an ELASTIC_INDEX of its own and `sentinel dead-letters replay --all`"
            )
        yield PROBLEM, what, advice


def _quarantine(facts: Facts) -> Iterator[tuple[str, ...]]:
    if not facts.quarantined:
        yield OK, "no batch of the spool is damaged"
    for stream, first, last, dead in facts.quarantined:
        still = f"{counted(dead, 'of them was', 'of them were')} still to be delivered"
        what = f"{stream} {first}…{last} can no longer be read; {still}"
        yield PROBLEM, what, "the disk returned other bytes than were written: check it, and `sentinel spool verify`"


def _model(facts: Facts) -> Iterator[tuple[str, ...]]:
    model = facts.model
    if model is None:
        yield PROBLEM, "there is no model yet: nothing is scored", "run `sentinel train`, or POST /train"
    elif model.problem:
        advice = "`sentinel models promote` another version, or train anew; a running server keeps the one it has"
        yield PROBLEM, f"model {model.version} cannot be used: {model.problem}", advice
    elif not model.is_of_lexicon:
        what = f"model {model.version} was made with another lexicon than the one in use"
        yield PROBLEM, what, "train again (`sentinel train`), or put LOG_SENTINEL_LEXICON back"
    elif model.confidence != "normal":
        what = f"model {model.version} has seen few records: its confidence is {model.confidence}"
        yield PROBLEM, what, "train again when more has been collected (`sentinel train`)"
    else:
        yield OK, f"{model.version}, confidence {model.confidence}"


def _home(facts: Facts) -> Iterator[tuple[str, ...]]:
    if facts.unwritable:
        advice = "give this user the right to, or set LOG_SENTINEL_HOME to another folder"
        yield PROBLEM, f"this user may not write in {facts.unwritable}: nothing can be kept", advice
    elif not facts.open_paths:
        yield OK, "readable by its owner alone"
    for path in facts.open_paths:
        yield PROBLEM, f"{path} can be read by other users", f"chmod go-rwx {path}"


def _watched(facts: Facts) -> Iterator[tuple[str, ...]]:
    if not facts.unreadable:
        yield OK, f"{facts.watched} can be read"
    for reason in facts.passed:
        yield NOTE, f"left alone: {reason}"
    if facts.overlooked:
        yield NOTE, facts.overlooked, "set LOG_SENTINEL_DIR, in the environment or in .env"
    for problem in facts.unreadable:
        yield PROBLEM, f"not collected: {problem}", "give this user the right to read it"


def _formats(facts: Facts) -> Iterator[tuple[str, ...]]:
    if not facts.changed:
        yield OK, "no followed file is written in a new format since yesterday"
    for change in facts.changed:
        yield NOTE, change, "see how its lines are read: `sentinel parse FILE`"


def _ports(facts: Facts) -> Iterator[tuple[str, ...]]:
    for port, listener in facts.ports.items():
        if listener == "ours":
            yield OK, f"the server answers on {port}"
        elif listener == "free":
            yield NOTE, f"nobody listens on {port}: the server is not running", "start it with `sentinel serve`"
        else:
            yield PROBLEM, f"port {port} is taken: {listener}", "end that program, or change LOG_SENTINEL_PORTS"


def _detection(facts: Facts) -> Iterator[tuple[str, ...]]:
    found = facts.detector
    if found is None:
        return
    if found.error:
        what = (
            f"live detection fails: {found.error}; {counted(found.behind, 'record is', 'records are')} not scored yet"
        )
        yield PROBLEM, what, "it goes on trying and skips nothing; the server's log has the whole story"
    elif found.behind > MAX_UNSCORED:
        what = f"live detection is {counted(found.behind, 'record')} behind"
        yield NOTE, what, "it catches up by itself; where it does not, more comes in than this machine can score"
    else:
        yield OK, "the server scores what comes in"


def _since(since_s: float, now_s: float) -> str:
    at = datetime.fromtimestamp(since_s, UTC)
    return f" since {at:%Y-%m-%d %H:%M:%S} UTC ({_length(max(0.0, now_s - since_s))})"


def _length(seconds: float) -> str:
    """A length of time as a person says it."""
    for unit, size in (("days", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


CHECKS: Mapping[str, Callable[[Facts], Iterator[tuple[str, ...]]]] = {
    "store": _store,
    "delivery": _delivery,
    "spool": _spool,
    "disk": _disk,
    "clock": _clock,
    "dead letters": _letters,
    "quarantine": _quarantine,
    "model": _model,
    "home": _home,
    "watched folder": _watched,
    "formats": _formats,
    "ports": _ports,
    "detection": _detection,
}
"""What is looked at, in the order in which it is told."""

OF_SPOOL = ("delivery", "clock", "dead letters", "quarantine", "formats")
"""Checks that know nothing while the spool cannot be opened."""
