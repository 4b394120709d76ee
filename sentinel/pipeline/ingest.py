"""Ingest: what arrives over HTTP becomes records in the spool; concurrent requests share one commit."""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future

import msgspec

from sentinel.errors import SentinelError, SpoolFullError, TerminalError, TransientError
from sentinel.failpoints import reach
from sentinel.pipeline.batch import Answer, Batch, Rejected, Submission
from sentinel.pipeline.secrets import count_masked
from sentinel.spool import ANSWER_KEPT_S, Spool, Transaction

__all__ = ["Answer", "Intake", "KeyReusedError", "Submission"]

log = logging.getLogger(__name__)

GROUP_REQUESTS = 256
GROUP_RECORDS = 5_000
QUEUE_REQUESTS = 4_096
KEPT_REASONS = 10  # of an answer to an Idempotency-Key
KEPT_REASON_CHARS = 200

_Item = tuple[Submission, Future[Answer]]
_Outcome = Answer | Exception


class _Kept(msgspec.Struct, omit_defaults=True):
    """An answer as it is kept for a key; what is left out was nothing."""

    accepted: int
    rejected: list[Rejected] = msgspec.field(default_factory=list)
    rejected_count: int = 0


class KeyReusedError(TerminalError):
    """An Idempotency-Key came a second time with another body."""


class _SettledError(Exception):
    """Some requests of a batch turned out, under the lock, to need no records: the others are to go without them."""

    def __init__(self, outcomes: Mapping[int, _Outcome]) -> None:
        super().__init__()
        self.outcomes = outcomes


class Intake:
    """One thread that gathers submissions, parses them together and commits them together.

    A body of more than one slice is worked on slice by slice, and between two slices all that waits and is small is
    committed: nobody waits for the length of somebody else's body.
    """

    def __init__(
        self,
        spool: Spool,
        *,
        period: str,
        clock: Callable[[], float] = time.time,
        notify: Callable[[], None] | None = None,
    ) -> None:
        self._spool, self._period, self._clock, self._notify = spool, period, clock, notify
        self._queue: queue.Queue[_Item | None] = queue.Queue(QUEUE_REQUESTS)
        self._big: deque[tuple[_Item, Batch | None]] = deque()
        self._is_ending = False
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)
        self._thread.start()

    def submit(self, submission: Submission) -> Future[Answer]:
        """Offer one request; the future is done after the commit.

        It raises SpoolFullError or TransientError (offer it again later), KeyReusedError, or TransientError at once
        when too many requests wait already.
        """
        future: Future[Answer] = Future()
        try:
            self._queue.put_nowait((submission, future))
        except queue.Full:
            raise TransientError("take in a request: too many are waiting for the disk; send it again later") from None
        return future

    def close(self) -> None:
        """Commit what was submitted, then stop."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while self._big or not self._is_ending:
            self._commit(self._gather())
            if self._big:
                self._advance(*self._big.popleft())

    def _gather(self) -> list[_Item]:
        """What is small and waits right now, up to a bound; waits for the first where there is nothing else to do."""
        group, records = list[_Item](), 0
        while len(group) < GROUP_REQUESTS and records < GROUP_RECORDS and not self._is_ending:
            try:
                item = self._queue.get(block=not group and not self._big)
            except queue.Empty:
                break
            if item is None:
                self._is_ending = True
            elif not item[1].set_running_or_notify_cancel():
                continue
            elif item[0].is_big:
                self._big.append((item, None))
            else:
                group.append(item)
                records += item[0].items
        return group

    def _advance(self, item: _Item, batch: Batch | None) -> None:
        """One slice of a big body; after its last one, its commit. Other big ones have their turn in between."""
        try:
            if batch is None:
                known = self._known(item[0], self._spool)
                if known is not None:
                    _tell(item[1], known)
                    return
                batch = self._batch([item[0]])
            batch.step()
            if not batch.is_packed:
                self._big.append((item, batch))
                return
            _tell(item[1], self._finish(batch)[0])
        except _SettledError as exc:
            _tell(item[1], exc.outcomes[0])
        except Exception as exc:
            if not isinstance(exc, SentinelError):
                log.exception("ingest failed client=%s", item[0].client)
            item[1].set_exception(exc)
        else:
            self._wake()

    def _commit(self, group: Sequence[_Item]) -> None:
        """Commit a group; where it fails for no reason of the disk's, each alone, so that one cannot spoil another."""
        if not group:
            return
        try:
            outcomes = self._ingest([submission for submission, _ in group])
        except SentinelError as exc:
            for _, future in group:
                future.set_exception(exc)
        except Exception as exc:
            if len(group) == 1:
                log.exception("ingest failed client=%s", group[0][0].client)
                group[0][1].set_exception(exc)
                return
            for item in group:
                self._commit([item])
        else:
            for (_, future), outcome in zip(group, outcomes, strict=True):
                _tell(future, outcome)
            self._wake()

    def _wake(self) -> None:
        if self._notify is not None:
            self._notify()

    def _ingest(self, submissions: Sequence[Submission]) -> list[_Outcome]:
        """Parse and commit; one outcome for each submission, in order."""
        outcomes: dict[int, _Outcome] = {}
        while left := [place for place in range(len(submissions)) if place not in outcomes]:
            turn = _each_key_once(submissions, left)
            batch = self._batch([submissions[place] for place in turn])
            try:
                while not batch.is_packed:
                    batch.step()
                reach("ingest.parsed")
                outcomes |= zip(turn, self._finish(batch), strict=True)
            except _SettledError as exc:
                outcomes |= {turn[place]: outcome for place, outcome in exc.outcomes.items()}
        return [outcomes[place] for place in range(len(submissions))]

    def _batch(self, submissions: Sequence[Submission]) -> Batch:
        return Batch(submissions, self._spool.pack(), now_s=self._clock(), period=self._period)

    def _known(self, submission: Submission, where: Spool | Transaction) -> _Outcome | None:
        """The answer given before to this Idempotency-Key, within a day; None where there is none."""
        if submission.key is None:
            return None
        known = where.answer(submission.client, submission.key, self._clock() - ANSWER_KEPT_S)
        if known is None:
            return None
        if known.digest != submission.digest:
            return KeyReusedError(
                "take in a request: this Idempotency-Key came before with another body; use a new key"
            )
        told = msgspec.json.decode(known.answer, type=_Kept)
        return Answer(told.accepted, told.rejected, None, told.rejected_count or len(told.rejected))

    def _finish(self, batch: Batch) -> list[Answer]:
        """Commit a batch whose slices are all packed, with the answers to its Idempotency-Keys.

        Raises _SettledError, and keeps nothing, where a key of it was answered meanwhile or its answer has no room.
        """
        with self._spool.transaction() as tx:
            if settled := self._settled(tx, batch):
                raise _SettledError(settled)
            answers = batch.answers(tx.append(batch.packed) if batch.packed.count else None)
            if batch.packed.rejected:
                tx.count_rejected(batch.packed.rejected)
            count_masked(tx, batch.masked)
        reach("ingest.committed")
        return answers

    def _settled(self, tx: Transaction, batch: Batch) -> dict[int, _Outcome]:
        """Look each key up where nobody else can write, and keep its answer; those that are not to be taken in."""
        settled: dict[int, _Outcome] = {}
        if all(submission.key is None for submission in batch.submissions):
            return settled
        for place, (submission, answer) in enumerate(zip(batch.submissions, batch.answers(None), strict=True)):
            if submission.key is None:
                continue
            outcome = self._known(submission, tx)
            try:
                if outcome is None:
                    kept = _kept(answer)
                    tx.remember_answer(submission.client, submission.key, submission.digest, kept, self._clock())
            except SpoolFullError as exc:
                outcome = exc
            if outcome is not None:
                settled[place] = outcome
        return settled


def _tell(future: Future[Answer], outcome: _Outcome) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _each_key_once(submissions: Sequence[Submission], places: Sequence[int]) -> list[int]:
    """The places without those whose key stands before them: they find the first one's answer later."""
    keys, first = set[tuple[str, str]](), list[int]()
    for place in places:
        one = submissions[place]
        if one.key is None or (one.client, one.key) not in keys:
            first.append(place)
        if one.key is not None:
            keys.add((one.client, one.key))
    return first


def _kept(answer: Answer) -> bytes:
    """What is kept of an answer: the counts and the first reasons, so that no request fills the disk with refusals."""
    first = [Rejected(one.index, one.reason[:KEPT_REASON_CHARS]) for one in answer.rejected[:KEPT_REASONS]]
    return msgspec.json.encode(_Kept(answer.accepted, first, answer.rejected_count))
