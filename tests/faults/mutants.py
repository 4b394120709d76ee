"""R12: wrong versions of the product, made by patching it as it starts: `python -m tests.faults.mutants NAME MODULE …`.

A mutant is the mistake that somebody might make in good faith. Each must turn a gate red; a patch that finds nothing to
patch raises, so that no mutant turns into the product unnoticed.
"""

import importlib
import runpy
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import polars as pl

__all__ = ["MUTANTS", "main"]

LATE_S = 0.4

Patch = Callable[[], None]


def change(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace `owner.name` by what `make` makes of it. Raises AttributeError where there is none."""
    setattr(owner, name, make(getattr(owner, name)))


def ack_before_commit() -> None:
    """The answer is given at once, the commit follows."""
    from sentinel.pipeline.ingest import Answer, Intake

    def late(ingest: Any) -> Any:
        def answer(self: Intake, submissions: Any) -> list[Answer]:
            threading.Timer(LATE_S, ingest, (self, submissions)).start()
            return [Answer(one.items, [], None, 0) for one in submissions]

        return answer

    change(Intake, "_ingest", late)


def checkpoint_before_lines() -> None:
    """The file's offset is committed first, its lines in a transaction after it."""
    from sentinel.pipeline.collector import Collector

    def split(commit: Any) -> Any:
        def run(self: Any, collected: Any, parsed: Any, checkpoints: Any) -> None:
            with self._spool.transaction() as tx:
                tx.put_checkpoints(checkpoints)
            commit(self, collected, parsed, checkpoints)

        return run

    change(Collector, "_commit", split)


def synchronous(level: str) -> Patch:
    """SQLite's commits are not synced (OFF), or only at its own checkpoints (NORMAL)."""

    def apply() -> None:
        from sentinel.spool import database

        def lazy(connect: Any) -> Any:
            def open_lazily(*args: Any, **options: Any) -> Any:
                connection = connect(*args, **options)
                connection.execute(f"PRAGMA synchronous = {level}")
                return connection

            return open_lazily

        change(database, "connect", lazy)

    return apply


def no_folder_sync() -> None:
    """New names are not synced."""
    from sentinel import durable

    change(durable, "sync_dir", lambda _: lambda path: None)


def no_file_sync() -> None:
    """A new file is renamed into its place before its content is synced."""
    import os

    from sentinel import durable

    class Lazy:
        def __getattr__(self, name: str) -> Any:
            return (lambda fd: None) if name == "fsync" else getattr(os, name)

    change(durable, "os", lambda _: Lazy())


def mark_before_send() -> None:
    """The reader is moved first, then the store is written to."""
    from sentinel.store import Outcome

    deliver = importlib.import_module("sentinel.pipeline.deliver")

    def early(settle: Any) -> Any:
        return lambda spool, lease, position, frame, outcome, now_s: deliver.Round(delivered=frame.height)

    from sentinel.store.elastic import ElasticStore

    def marked(write: Any) -> Any:
        def run(self: Any, frame: pl.DataFrame, *, stream: str = "events") -> Outcome:
            spool, lease = _DELIVERING[-1]
            with spool.transaction() as tx:
                tx.move(lease, int(frame["sequence"][-1]))
            return write(self, frame, stream=stream)

        return run

    from sentinel.spool import Spool

    @contextmanager
    def noted(self: Spool, reader: str, **options: Any) -> Iterator[Any]:
        with original(self, reader, **options) as lease:
            if reader.startswith("deliver"):
                _DELIVERING.append((self, lease))
            yield lease

    original = Spool.lease
    change(Spool, "lease", lambda _: noted)
    change(ElasticStore, "write", marked)
    change(deliver, "_settle", early)


_DELIVERING: list[Any] = []


def content_hash_id() -> None:
    """Ids are made from the message alone."""
    from sentinel.spool import Transaction

    def hashed(append: Any) -> Any:
        def run(self: Any, frame: pl.DataFrame, stream: str = "events") -> Any:
            ids = frame["message"].hash(seed=1).cast(pl.String).str.pad_start(22, "0")
            return append(self, frame.with_columns(ids.alias("event_id")), stream)

        return run

    change(Transaction, "append", hashed)


def judged(change_verdict: Callable[[dict[str, Any], Any], Any]) -> Patch:
    """Another verdict on an item of a bulk's answer."""

    def apply() -> None:
        from sentinel.store import bulk

        def wrap(judge: Any) -> Any:
            return lambda item: change_verdict(next(iter(item.values())), judge(item))

        change(bulk, "judge", wrap)

    return apply


def trust_the_status() -> None:
    """A bulk answered with 200 is taken for delivered, without a look at its items."""
    from sentinel.store import bulk

    def trusting(settle: Any) -> Any:
        def run(self: Any, rows: Any, items: Any) -> Any:
            self.delivered[rows] = self.was_answered = True
            return iter(())

        return run

    change(bulk._Bulk, "_settle", trusting)


def new_index_on_retry() -> None:
    """The index is chosen when it is written, not when the record was accepted."""
    from sentinel.store.elastic import ElasticStore

    tries: list[int] = []

    def wandering(write: Any) -> Any:
        def run(self: Any, frame: pl.DataFrame, **options: Any) -> Any:
            tries.append(1)
            return write(self, frame.with_columns(partition=pl.lit(f"2026.{len(tries) % 12 + 1:02d}")), **options)

        return run

    change(ElasticStore, "write", wandering)


def prune_before_delivery() -> None:
    """What was accepted is pruned, delivered or not."""
    from sentinel.records import EVENTS
    from sentinel.spool import prune

    change(prune, "_stale_events", lambda _: lambda connection, keep: prune._oldest(connection, EVENTS, 2**62))


def forget_dead_letters() -> None:
    """A poison document is passed by without a letter."""
    from sentinel.spool import Transaction

    def silent(move: Any) -> Any:
        return lambda self, lease, to, dead=None: move(self, lease, to)

    change(Transaction, "move", silent)


def forget_answers() -> None:
    """A repeated Idempotency-Key is taken for a new request."""
    from sentinel.spool import Transaction

    change(Transaction, "remember_answer", lambda _: lambda self, *args: None)


def id_from_the_key() -> None:
    """Ids are made from client and Idempotency-Key, so that a repeat meets its own."""
    from hashlib import sha256

    from sentinel.pipeline.batch import Batch

    def derived(init: Any) -> Any:
        def run(self: Batch, submissions: Any, *args: Any, **options: Any) -> None:
            init(self, submissions, *args, **options)
            for place, one in enumerate(submissions):
                if one.key is not None:
                    self._prefixes[place] = sha256(f"{one.client} {one.key}".encode()).hexdigest()[:16]

        return run

    change(Batch, "__init__", derived)


def known_before_the_lock() -> None:
    """A key is looked up before the body is parsed, and not again under the writer's lock."""
    from sentinel.spool import Transaction

    change(Transaction, "answer", lambda _: lambda self, *args: None)


def first_refusal_moves_on() -> None:
    """What was refused for now, in the middle of a round, is passed by."""
    deliver = importlib.import_module("sentinel.pipeline.deliver")

    def careless(settle: Any) -> Any:
        def run(spool: Any, lease: Any, position: Any, frame: Any, outcome: Any, now_s: float) -> Any:
            return settle(spool, lease, position, frame, replace(outcome, retry=outcome.retry & False), now_s)

        return run

    change(deliver, "_settle", careless)


MUTANTS: dict[str, tuple[Patch, str]] = {
    "ack before commit": (ack_before_commit, "acks"),
    "checkpoint before lines": (checkpoint_before_lines, "collect"),
    "no sync": (synchronous("OFF"), "powerloss"),
    "sync at checkpoints only": (synchronous("NORMAL"), "powerloss"),
    "no sync of folders": (no_folder_sync, "powerloss"),
    "no sync of files": (no_file_sync, "powerloss"),
    "mark before send": (mark_before_send, "deliver"),
    "content-hash id": (content_hash_id, "twins"),
    "drop on 429": (judged(lambda item, told: ("dead", "429") if item["status"] == 429 else told), "bulk"),
    "429 taken for done": (judged(lambda item, told: ("done", "") if item["status"] == 429 else told), "bulk"),
    "409 counted as dead": (judged(lambda item, told: ("dead", "409") if item["status"] == 409 else told), "bulk"),
    "409 taken for done": (judged(lambda item, told: ("done", "") if item["status"] == 409 else told), "bulk"),
    "trust the status of a bulk": (trust_the_status, "bulk"),
    "new index on retry": (new_index_on_retry, "bulk"),
    "prune before delivery": (prune_before_delivery, "bulk"),
    "poison without a letter": (forget_dead_letters, "bulk"),
    "refused ones passed by": (first_refusal_moves_on, "bulk"),
    "answers to keys forgotten": (forget_answers, "intake"),
    "id from the key": (id_from_the_key, "keys"),
    "keys looked up before the lock": (known_before_the_lock, "keys"),
}
"""Each mutant and the gate that must turn red."""


def main(name: str, module: str, arguments: list[str]) -> None:
    """Apply a mutant ("none": the product as it is), then run a module as `python -m` would."""
    if name != "none":
        MUTANTS[name][0]()
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
