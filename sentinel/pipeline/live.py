"""Detect, live: what was accepted is scored in the spool's order, and every anomaly becomes a record of its own."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime

import polars as pl

from sentinel.detect import Model, Scorer
from sentinel.detect.explain.incidents import actors_of
from sentinel.errors import NoModelError, OutdatedModelError, SentinelError
from sentinel.failpoints import reach
from sentinel.incidents import Incident
from sentinel.pipeline import incidents
from sentinel.pipeline import state as states
from sentinel.pipeline.anomalies import anomalies_of, learnt_from
from sentinel.pipeline.arrivals import Arrivals
from sentinel.pipeline.explanations import Explanations
from sentinel.pipeline.parts import Sentinel
from sentinel.pipeline.ranges import runs
from sentinel.pipeline.recent import Recent
from sentinel.pipeline.scorers import peek_at_one, scorer_of
from sentinel.pipeline.tally import Tally
from sentinel.pipeline.words import Heard
from sentinel.records import EVENTS
from sentinel.spool import Lease, Span

__all__ = ["Live"]

log = logging.getLogger(__name__)

READER = "detect"
ROUND_RECORDS = 2_000
ROUND_BYTES = 4 * 1024 * 1024
SCORE_CHUNK = 100  # records a hold of the lock: some 5 ms, so that /predict never waits long
YIELD_S = 0.0002  # long enough for a waiting prediction to take the lock
SAVE_EVERY_S = 10.0
RELOAD_EVERY_S = 1.0
TICK_EVERY_S = 1.0
FULL_SHARE = 0.95  # a spool that is fuller may refuse what comes
ARRIVALS = "arrivals"


class Live:
    """The champion and the running state, moved by one thread and read by others.

    The reader's position in the spool is that of the saved state; after a kill the records since then are scored
    again, with the same verdicts and the same ids, so that nothing is missed and nothing is there twice.
    """

    def __init__(
        self,
        sentinel: Sentinel,
        *,
        clock: Callable[[], float] = time.time,
        tell: Callable[[Sequence[Incident]], None] = lambda changed: None,
    ) -> None:
        self._sentinel, self._clock, self._tell = sentinel, clock, tell
        self._folder = sentinel.home / "detector"
        self._lock = threading.Lock()
        self._scorer: Scorer | None = None
        self._version: str | None = None
        self._problem: str | None = None
        self.is_outdated = False  # another release made the champion: only learning anew helps
        self._lease: Lease | None = None
        self._holding: AbstractContextManager[Lease | None] | None = None
        self._head = self._saved = 0
        self._saved_s = self._reloaded_s = 0.0
        self._scored: list[tuple[str, int, int]] = []
        self._emitted: set[str] = set()
        self._arrivals = Arrivals(clock())
        self._ticked_s = 0.0
        self._recent = Recent()
        self._news = threading.Condition()
        self._state: bytes | None = None
        self._learnt: Model | None = None  # the model whose own state we began with
        self._asking = 0  # predictions under way; a wrong count costs a moment, not a verdict
        self.tally = Tally()
        self.explanations = Explanations({}, self.tally)
        self.heard = Heard(sentinel.spool, sentinel.threshold_nats, clock())
        self.scored = self.flagged = 0

    @property
    def model(self) -> Model | None:
        """The model in service; None before the first training."""
        return self._scorer.model if self._scorer is not None else None

    @property
    def problem(self) -> str | None:
        """Why the newest champion could not be loaded; None when all is well."""
        return self._problem

    @property
    def head(self) -> int:
        """The last sequence that was looked at."""
        return self._head

    def start(self, *, wait_s: float = 10.0) -> bool:
        """Take the reader's lease and the newest saved state. False when another process moves the reader."""
        spool = self._sentinel.spool
        self._holding = spool.lease(READER, wait_s=wait_s)
        self._lease = self._holding.__enter__()
        if self._lease is None:
            self._holding.__exit__(None, None, None)
            self._holding = None
            return False
        self._head = self._saved = spool.position(READER).sequence
        found = states.read_newest(spool, self._folder)
        if found is not None:
            self._head = max(found[0].sequence, self._head)
            self._state = found[1]
        self.tally = Tally.load(spool)
        self.explanations = Explanations({}, self.tally)
        self._emitted = set(spool.anomalies(limit=10_000)["event_id"])
        self._saved_s = self._clock()
        self._arrivals = Arrivals(self._saved_s, spool.blob(ARRIVALS))
        self.reload()
        return True

    def stop(self) -> None:
        """Save the state and give the lease back. What cannot be saved is seen again at the next start."""
        if self._holding is None:
            return
        try:
            self._save()
        except (SentinelError, OSError) as exc:
            log.error("state not saved since=%d error=%s", self._saved, exc)
        self._holding.__exit__(None, None, None)
        self._holding = self._lease = None

    def reload(self) -> bool:
        """Serve the champion if it is another than the one in service; the running state stays, and takes in
        what the new model was taught. True when it changed.

        A damaged or foreign model, or models that cannot be opened, leave the old one in service; `problem` says why.
        """
        self._reloaded_s = self._clock()
        try:
            registry = self._sentinel.registry
            version = registry.champion()
            if version is None or version == self._version:
                self._problem = None
                return False
            model, model_state = registry.load(version)
        except (SentinelError, OSError) as exc:
            if self._problem != str(exc):
                log.error("kept the old model error=%s", exc)
            self._problem, self.is_outdated = str(exc), isinstance(exc, OutdatedModelError)
            return False
        with self._lock:
            running = self._scorer.state() if self._scorer is not None else self._state
            scorer, goes_on = scorer_of(model, model_state, running, threshold_nats=self._sentinel.threshold_nats)
            if not goes_on:
                self._learnt = model
                scorer.begin_to_listen(datetime.fromtimestamp(self._reloaded_s, UTC))
            self._arrivals.begin(self._reloaded_s)  # another model expects other lines: these are listened for from now
            self.heard.tune(scorer)
            self._scorer, self._version, self._problem, self.is_outdated = scorer, version, None, False
            self.explanations = Explanations(model.last_seen(), self.tally)
        log.info("loaded model=%s", version)
        return True

    def listen(self) -> None:
        """Take up what people said since: thresholds and feedback act on the next verdict."""
        heard = Heard(self._sentinel.spool, self._sentinel.threshold_nats, self._clock())
        with self._lock:
            self.heard = heard
            if self._scorer is not None:
                heard.tune(self._scorer)

    def round(self) -> int:
        """Score what came in since the last round, up to a bound; how many records that were. 0: nothing new."""
        now_s = self._clock()
        if now_s - self._reloaded_s >= RELOAD_EVERY_S:
            self.listen()
            self.reload()
        frame = self._sentinel.spool.read(EVENTS, self._head, ROUND_RECORDS, ROUND_BYTES)
        if frame.height:
            if self._scorer is not None:
                self._score(self._scorer, frame)
            with self._news:
                self._head = int(frame["sequence"][-1])
                self._news.notify_all()
        with self._news:
            self._recent.let_go(time.monotonic())
        self._arrivals.turn(now_s)
        if self._scorer is not None and (not frame.height or self._is_due(now_s)):
            self._tick(self._scorer, now_s)
        if self._head > self._saved and now_s - self._saved_s >= SAVE_EVERY_S:
            self._save()
        return frame.height

    def _score(self, scorer: Scorer, frame: pl.DataFrame) -> None:
        fresh = frame.filter(~(self._arrivals.note(frame, self._clock()) | self._known(frame)))
        verdicts = []
        for chunk in fresh.iter_slices(SCORE_CHUNK):
            with self._lock:
                verdicts.append(self.heard.apply(chunk, scorer.score(chunk)))
            if self._asking:
                time.sleep(YIELD_S)
        if not verdicts:
            return
        judged = pl.concat(verdicts)
        self._emit(anomalies_of(fresh, judged))
        counted = fresh.select("source", "timestamp", "message").with_columns(judged["template"], judged["is_anomaly"])
        self.tally.add(counted)
        with self._lock:
            over, said = scorer.ended()
        self._emit(anomalies_of(over, self.heard.apply(over, said)))
        self._scored.extend((scorer.model.version, *run) for run in runs(fresh["sequence"].to_list()))
        self.scored += fresh.height
        with self._news:
            first, last = int(frame["sequence"][0]), int(frame["sequence"][-1])
            self._recent.add(first, last, judged.with_columns(fresh["sequence"]), time.monotonic())

    def _known(self, frame: pl.DataFrame) -> pl.Series:
        """Which records the model has learnt from, where its own state is the one that runs: left to batch scoring."""
        if self._learnt is None:
            return pl.repeat(value=False, n=frame.height, eager=True)
        return frame.select(learnt_from(self._learnt).alias("known"))["known"]

    def _emit(self, anomalies: pl.DataFrame) -> None:
        new = anomalies.filter(~pl.col("event_id").is_in(list(self._emitted))) if self._emitted else anomalies
        if new.is_empty():
            return
        actors = actors_of(new)
        changed = incidents.keep(self._sentinel.spool, new, actors, self.explanations)
        self._tell(changed)
        self.flagged += new.height
        reach("detect.emitted")

    def _is_due(self, now_s: float) -> bool:
        """Whether it is time to ask for what did not come, and nothing that came is still to be looked at."""
        due = now_s - self._ticked_s >= TICK_EVERY_S
        return due and self._head >= self._sentinel.spool.last_sequence(EVENTS)

    def _tick(self, scorer: Scorer, now_s: float) -> None:
        self._ticked_s = now_s
        ledger = self._sentinel.spool.ledger(EVENTS)
        if ledger.bytes > FULL_SHARE * ledger.max_bytes:
            self._arrivals.begin(now_s)  # what comes is refused, and files are not read
        with self._lock:
            records, verdicts = scorer.tick(datetime.fromtimestamp(now_s, UTC), self._arrivals.attention())
        if records.height:
            self._emit(anomalies_of(records, self.heard.apply(records, verdicts)))

    def _save(self) -> None:
        """The state to a file, then file name, position and scored ranges in one transaction."""
        if self._lease is None or self._head <= self._saved:
            return
        saved = None
        if self._scorer is not None:
            with self._lock:
                state = self._scorer.state()
            saved = states.write_state(self._folder, states.LIVE, self._head, state)
            reach("detect.state-written")
        with self._sentinel.spool.transaction() as tx:
            if saved is not None:
                states.remember(tx, states.LIVE, saved)
            for version, first, last in self._scored:
                tx.add_scored(version, first, last)
            tx.move(self._lease, self._head)
            self.tally.save(tx)
            tx.put_blob(ARRIVALS, self._arrivals.to_json())
        if saved is not None:
            states.forget_older(self._folder, states.LIVE, saved)
        self._scored.clear()
        self._saved, self._saved_s = self._head, self._clock()

    def predict(self, records: pl.DataFrame, *, observe: bool = False) -> pl.DataFrame:
        """Verdicts (VERDICT_SCHEMA), one a record, each line seeing those before it. Changes nothing unless `observe`.

        Raises NoModelError while there is no champion.
        """
        scorer = self._scorer
        if scorer is None:
            raise NoModelError(self._problem or "predict: there is no model yet; POST /train, or run `sentinel train`")
        self._asking += 1
        try:
            with self._lock:
                if observe:
                    verdicts = scorer.score(records)
                else:
                    verdicts = peek_at_one(scorer, records) if records.height == 1 else scorer.peek(records)
                return self.heard.apply(records, verdicts)
        finally:
            self._asking -= 1

    def verdicts(self, span: Span, *, timeout_s: float) -> dict[int, dict[str, object]]:
        """The live reader's verdicts on the records of `span`, by sequence; those not scored in time are left out."""
        deadline = time.monotonic() + timeout_s
        with self._news:
            while self._head < span.last and (left := deadline - time.monotonic()) > 0:
                self._news.wait(left)
            return self._recent.of(span)
