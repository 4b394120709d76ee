"""R6: scripted answers to bulks against the real spool, deliver verb and store code; D1 to D15 of the fault list.

Whatever is answered: every document that can be indexed is indexed, once, in the index that was fixed when it was
accepted; every one that cannot is a dead letter with its reason; and the books balance.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from sentinel.errors import TransientError
from sentinel.pipeline.deliver import deliver_round
from sentinel.records import EVENTS, RECORD_SCHEMA
from sentinel.spool import Spool
from sentinel.store import open_store
from tests.faults.fake_control import FakeElastic

__all__ = ["CASES", "Case", "Result", "run_case", "throughput"]

INDEX = "matrix"
READER = "deliver"
MAX_ROUNDS = 60
START_S = 1_790_000_000.0
NOW = datetime(2026, 11, 1, tzinfo=UTC)
POISON, SPOILER, MOOD, STRANGER = "POISON", "SPOILER", "MOODY", "STRANGER"
GOOD = "a good one"

Fault = dict[str, object]


@dataclass(frozen=True)
class Case:
    """One way in which Elasticsearch answers."""

    name: str
    marks: dict[int, str] = field(default_factory=dict)  # row → a mark in its message; every other row is good
    script: Sequence[Fault] = ()
    rules: dict[str, object] = field(default_factory=dict)
    lifted: dict[str, object] = field(default_factory=dict)  # rules after a few rounds
    rows: int = 40
    dead: tuple[str, ...] = ()  # marks that must end among the dead letters
    reason: str = ""  # text that each dead letter's reason holds
    partitions: tuple[str, ...] = ("2026.11",)
    clock_jump_s: float = 0.0  # after the first round
    away: int = 0  # rounds during which connections are refused
    size: int = 0  # bytes that row 7's message has in addition


@dataclass
class Result:
    """What came of a case."""

    wrong: list[str] = field(default_factory=list)
    rounds: int = 0
    errors: list[str] = field(default_factory=list)


def spread(mark: str, rows: Sequence[int]) -> dict[int, str]:
    """The same mark on several rows."""
    return dict.fromkeys(rows, mark)


def status(code: int, kind: str = "exception", times: int = 1) -> list[Fault]:
    """The whole request answered so, some times."""
    return [{"fault": "status", "status": code, "type": kind}] * times


BLOCKED = {"block": "read-only"}
NORMAL = {"block": "", "status": 0}
POISONED = {"poison": POISON}
HALF = spread(MOOD, range(0, 40, 2))


def moody(*statuses: int) -> dict[str, object]:
    """Documents with the mark are refused so, one status each time they come."""
    return {"moods": [[MOOD, list(statuses)]]}


CASES = (
    Case("all good"),
    Case("several bulks, all good", rows=6000),
    Case("D1 mixed 201, 429 and 400", HALF | {3: POISON, 5: POISON}, rules=moody(429, 429) | POISONED, dead=(POISON,)),
    Case("D1 mixed in several bulks", {17: POISON, 4000: MOOD}, rules=moody(503) | POISONED, rows=6000, dead=(POISON,)),
    Case("D2 429 inside a 200", HALF, rules=moody(429)),
    Case("D2 429 inside a 200, many times", HALF, rules=moody(*[429] * 9)),
    Case("D2 all items 429 by the request", script=[{"statuses": [429]}] * 5),
    Case("D2 every third item 429 by the request", script=[{"statuses": [0, 0, 429]}] * 3),
    Case("D2 whole 429", script=status(429, "es_rejected_execution_exception", 4)),
    Case("D2 whole 429 circuit breaker", script=status(429, "circuit_breaking_exception", 4)),
    Case("items 503", HALF, rules=moody(503, 503)),
    Case("items 500", HALF, rules=moody(500)),
    Case("items 404, index not there yet", HALF, rules=moody(404, 404)),
    Case("whole 500", script=status(500, times=3)),
    Case("whole 502", script=status(502, times=3)),
    Case("whole 503", script=status(503, times=7)),
    Case("whole 504 although all went in", script=[{"fault": "applied-status", "status": 504}] * 3),
    Case("D3 poison at the head", {0: POISON}, rules=POISONED, dead=(POISON,), reason="document_parsing_exception"),
    Case("D3 poison at the end", {39: POISON}, rules=POISONED, dead=(POISON,), reason="failed to parse"),
    Case("D3 nothing but poison", spread(POISON, range(40)), rules=POISONED, dead=(POISON,), reason="400"),
    Case("D3 every second poison", spread(POISON, range(0, 40, 2)), rules=POISONED, dead=(POISON,)),
    Case("D3 poison while 429", {0: POISON}, status(429, times=2), POISONED, dead=(POISON,)),
    Case("D4 whole 400 for one document", {13: SPOILER}, rules={"spoiler": SPOILER}, dead=(SPOILER,), reason="400"),
    Case(
        "D4 whole 400 for the first and the last", {0: SPOILER, 39: SPOILER}, (), {"spoiler": SPOILER}, dead=(SPOILER,)
    ),
    Case(
        "D4 whole 400 and poison", {3: SPOILER, 4: POISON}, (), {"spoiler": SPOILER} | POISONED, dead=(SPOILER, POISON)
    ),
    Case("D5 413 until it is small", rules={"max_bytes": 4000}),
    Case(
        "D5 413 for one document", {7: POISON}, rules={"max_bytes": 50_000}, size=80_000, dead=(POISON,), reason="413"
    ),
    Case("D6 index read-only, lifted", rules=BLOCKED, lifted=NORMAL),
    Case("D6 flood stage, lifted", rules={"block": "flood"}, lifted=NORMAL),
    Case("D6 whole 403 cluster_block", script=status(403, "cluster_block_exception", 4)),
    Case("D7 401, lifted", rules={"status": 401}, lifted=NORMAL),
    Case("D7 403, lifted", rules={"status": 403}, lifted=NORMAL),
    Case("D8 applied, then reset", script=[{"fault": "lost"}]),
    Case("D8 applied, then reset, five times", script=[{"fault": "lost"}] * 5, rows=3000),
    Case("D8 reset before", script=[{"fault": "reset"}] * 3),
    Case("D8 applied in part, then reset", script=[{"fault": "lost", "statuses": [0, 429]}] * 2),
    Case("connection refused", away=4),
    Case("D10 two partitions, first attempt fails", script=status(503, times=2), partitions=("2026.10", "2026.11")),
    Case(
        "D10 two partitions, poison in each",
        {0: POISON, 1: POISON},
        (),
        POISONED,
        {},
        40,
        (POISON,),
        "",
        ("2025.01", "2026.11"),
    ),
    Case("D9 ids of other documents", spread(STRANGER, (0, 7, 39)), dead=(STRANGER,), reason="id_conflict"),
    Case(
        "D9 ids of other documents, applied, then reset",
        spread(STRANGER, (3, 20)),
        [{"fault": "lost"}] * 2,
        dead=(STRANGER,),
        reason="id_conflict",
    ),
    Case("D12 cut JSON", script=[{"fault": "cut-json"}] * 3),
    Case("D12 cut JSON with a poison", {9: POISON}, [{"fault": "cut-json"}] * 3, POISONED, dead=(POISON,)),
    Case("D12 cut body", script=[{"fault": "cut-body"}] * 3),
    Case("D12 fewer items than sent", HALF, [{"fault": "fewer"}] * 3, moody(429, 429)),
    Case("D12 more items than sent", HALF, [{"fault": "more"}] * 3, moody(429, 429)),
    Case("D12 empty body", script=[{"fault": "empty"}] * 3),
    Case("D12 no items", script=[{"fault": "no-items"}] * 3),
    Case("D12 HTML with status 200", script=[{"fault": "html"}] * 3),
    Case("D13 clock a day back during back-off", script=status(503, times=4), clock_jump_s=-86_400.0),
    Case("D13 clock a day on during back-off", script=status(503, times=4), clock_jump_s=86_400.0),
    Case("slow", rules={"latency_s": 0.3}),
    Case(
        "C18 strange text",
        dict(enumerate(("\x00\x01", "\u2028", "\ufeff", '"\\', "\U0001f41f", "é"))),
    ),
)


def frame_of(case: Case) -> pl.DataFrame:
    """The records of a case."""
    rows = range(case.rows)
    messages = [f"{row:06d} {case.marks.get(row, GOOD)}" for row in rows]
    if case.size:
        messages[7] += "x" * case.size
    columns: dict[str, list[object]] = {
        "event_id": [f"event-{row:06d}" for row in rows],
        "partition": [case.partitions[row % len(case.partitions)] for row in rows],
        "timestamp": [NOW] * case.rows,
        "received": [NOW] * case.rows,
        "level": ["info"] * case.rows,
        "source": ["matrix"] * case.rows,
        "host": ["machine"] * case.rows,
        "message": list(messages),
    }
    return pl.DataFrame({name: columns.get(name, [None] * case.rows) for name in RECORD_SCHEMA}, schema=RECORD_SCHEMA)


def run_case(case: Case, fake: FakeElastic, folder: Path) -> Result:
    """Deliver the records of a case under its answers, and say what is wrong in the end."""
    fake.forget()
    fake.up()
    result, frame = Result(), frame_of(case)
    with Spool.open(folder / "spool", min_free_bytes=1) as spool:
        with spool.transaction() as tx:
            tx.append(frame)
        store = open_store(addr=fake.url, index=INDEX, folder=folder)
        store.setup()
        strangers = frame.filter(pl.col("message").str.contains(STRANGER))
        if strangers.height:
            store.write(strangers.with_columns(message="of somebody else: " + pl.col("message")))
        fake.rules(**case.rules)
        fake.script(*case.script)
        try:
            drain(case, fake, spool, result, lambda now_s: deliver_round(spool, store, READER, now_s=now_s))
        finally:
            store.close()
            fake.up()
        judge(case, frame, fake, spool, result)
    return result


def drain(case: Case, fake: FakeElastic, spool: Spool, result: Result, turn: Callable[[float], object]) -> None:
    """Rounds until all is delivered or dead; the clock jumps over each pause."""
    now_s = START_S
    for result.rounds in range(1, MAX_ROUNDS + 1):
        if result.rounds <= case.away:
            fake.down()
        elif case.away:
            fake.up()
        if result.rounds == 4 and case.lifted:
            fake.rules(**case.lifted)
        before = spool.position(READER).sequence
        spool.prune(keep_bytes=0)
        done = turn(now_s)
        if error := getattr(done, "error", None):
            result.errors.append(error)
        if spool.position(READER).sequence == case.rows:
            return
        now_s += min(getattr(done, "wait_s", 0.0), 30.0) + 0.01
        now_s += case.clock_jump_s if result.rounds == 1 else 0.0
        if result.rounds <= 3 and case.lifted and spool.position(READER).sequence != before:
            result.wrong.append("the reader moved although nothing could be delivered")
    result.wrong.append(f"not done after {MAX_ROUNDS} rounds: {spool.position(READER)}")


def judge(case: Case, frame: pl.DataFrame, fake: FakeElastic, spool: Spool, result: Result) -> None:
    """Compare the store and the dead letters with what was accepted."""
    messages = dict(zip(frame["event_id"].to_list(), frame["message"].to_list(), strict=True))
    homes = dict(zip(frame["event_id"].to_list(), frame["partition"].to_list(), strict=True))
    doomed = {key for row, key in enumerate(messages) if case.marks.get(row) in case.dead}
    rows = [row for row in fake.dump() if str(row[0]).startswith(f"{INDEX}-events-")]
    strangers = [row for row in rows if str(row[2]).startswith("of somebody else")]
    stored = {str(row[1]): row for row in rows if row not in strangers}
    good = Counter(message for key, message in messages.items() if key not in doomed)
    letters = {str(letter.event_id): letter.reason for letter in spool.dead_letters(EVENTS, limit=10**6)}
    books, stats = spool.ledger(), fake.stats()
    claims = {
        "every good content is stored, once": Counter(str(row[2]) for row in stored.values()) == good,
        "nothing hides behind another's id": len(strangers) == sum(m == STRANGER for m in case.marks.values()),
        "every bad one is a dead letter": set(letters) == doomed,
        "each with its reason": all(reason and case.reason in reason for reason in letters.values()),
        "content is what was accepted": all(row[2] == messages[key] for key, row in stored.items()),
        "in the index fixed at its acceptance": all(
            row[0] == f"{INDEX}-events-{homes[k]}" for k, row in stored.items()
        ),
        "never twice, never replaced": not (stats["duplicates"] or stats["overwritten"])
        and (bool(strangers) or not stats["differing"]),
        "books": books.is_balanced and (books.delivered, books.dead) == (len(stored), len(doomed)),
        "the script was played": not stats["script"],
    }
    result.wrong += [f"not so: {claim}" for claim, holds in claims.items() if not holds]
    if result.wrong:
        result.wrong.append(f"{books} {stats} {list(letters.items())[:3]} {result.errors[:3]}")


def throughput(url: str, folder: Path, *, rows: int, poison_every: int, index: str = INDEX) -> float:
    """Records a second delivered to an empty store at `url`, with one poison in so many (0: none)."""
    marks = spread(POISON, range(0, rows, poison_every)) if poison_every else {}
    frame = frame_of(Case("throughput", marks, rows=rows))
    hosts = pl.when(pl.col("message").str.contains(POISON)).then(pl.lit(POISON)).otherwise(pl.lit("7"))
    frame = frame.with_columns(hosts.alias("host"))
    with Spool.open(folder, min_free_bytes=1) as spool:
        for part in frame.iter_slices(10_000):
            with spool.transaction() as tx:
                tx.append(part)
        store = open_store(addr=url, index=index, folder=folder)
        store.setup()
        began = time.monotonic()
        while spool.position(READER).sequence < rows:
            if error := deliver_round(spool, store, READER, now_s=time.time()).error:
                raise TransientError(error)
        took_s = time.monotonic() - began
        store.close()
        dead = spool.ledger().dead
    if dead != len(marks):
        raise AssertionError(f"{dead} dead letters of {len(marks)} poison documents")
    return rows / took_s
