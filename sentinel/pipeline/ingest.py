"""Ingest: what arrives over HTTP becomes records in the spool; concurrent requests share one commit."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import UTC, datetime

import msgspec

from sentinel.errors import SentinelError, TerminalError, TransientError
from sentinel.failpoints import reach
from sentinel.pipeline.batch import Answer, Batch, Submission
from sentinel.pipeline.collector import count_rejected
from sentinel.spool import Spool

__all__ = ["Answer", "Intake", "KeyReusedError", "Submission"]

log = logging.getLogger(__name__)

GROUP_REQUESTS = 256
GROUP_RECORDS = 5_000
QUEUE_REQUESTS = 4_096
ANSWER_KEPT_S = 86_400.0


class KeyReusedError(TerminalError):
    """An Idempotency-Key came a second time with another body."""


class Intake:
    """One thread that gathers submissions, parses them together and commits them together."""

    def __init__(
        self,
        spool: Spool,
        *,
        period: str,
        clock: Callable[[], float] = time.time,
        notify: Callable[[], None] | None = None,
    ) -> None:
        self._spool, self._period, self._clock, self._notify = spool, period, clock, notify
        self._queue: queue.Queue[tuple[Submission, Future[Answer]] | None] = queue.Queue(QUEUE_REQUESTS)
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
        while (first := self._queue.get()) is not None:
            group, stop = self._gather(first)
            self._commit([item for item in group if item[1].set_running_or_notify_cancel()])
            if stop:
                return

    def _gather(self, first: tuple[Submission, Future[Answer]]) -> tuple[list[tuple[Submission, Future[Answer]]], bool]:
        """What waits right now, up to a bound; True when the end was among it."""
        group, records = [first], first[0].items
        while len(group) < GROUP_REQUESTS and records < GROUP_RECORDS:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return group, True
            group.append(item)
            records += item[0].items
        return group, False

    def _commit(self, group: list[tuple[Submission, Future[Answer]]]) -> None:
        """Commit a group; where it fails for no reason of the disk's, each alone, so that one cannot spoil another."""
        if not group:
            return
        try:
            answers = self._ingest([submission for submission, _ in group])
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
            for (_, future), answer in zip(group, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
            if self._notify is not None:
                self._notify()

    def _ingest(self, submissions: Sequence[Submission]) -> list[Answer | Exception]:
        """Parse and commit; one answer for each submission, in order."""
        now_s = self._clock()
        now = datetime.fromtimestamp(now_s, UTC)
        answers: list[Answer | Exception | None] = [self._known(s, now_s) for s in submissions]
        fresh: list[int] = []
        keys: set[tuple[str, str]] = set()
        later: list[int] = []
        for position, (submission, answer) in enumerate(zip(submissions, answers, strict=True)):
            if answer is None:
                twin = submission.key is not None and (submission.client, submission.key) in keys
                (later if twin else fresh).append(position)
                if submission.key is not None:
                    keys.add((submission.client, submission.key))
        for position, new in zip(fresh, self._append([submissions[p] for p in fresh], now, now_s), strict=True):
            answers[position] = new
        for position in later:  # the same key twice in one group: the second finds the first one's answer
            answers[position] = self._known(submissions[position], now_s)
        return [answer for answer in answers if answer is not None]

    def _known(self, submission: Submission, now_s: float) -> Answer | Exception | None:
        """The answer given before to this Idempotency-Key, within a day."""
        if submission.key is None:
            return None
        known = self._spool.answer(submission.client, submission.key, now_s - ANSWER_KEPT_S)
        if known is None:
            return None
        if known.digest != submission.digest:
            return KeyReusedError(
                "take in a request: this Idempotency-Key came before with another body; use a new key"
            )
        return Answer(span=None, **msgspec.json.decode(known.answer))

    def _append(self, submissions: Sequence[Submission], now: datetime, now_s: float) -> list[Answer]:
        if not submissions:
            return []
        batch = Batch(submissions, now_s)
        records, rejected = batch.parse(now, self._period)
        reach("ingest.parsed")
        with self._spool.transaction() as tx:
            span = tx.append(records) if records.height else None
            if rejected.height:
                tx.count_rejected(count_rejected(rejected, batch.origins()))
            answers = batch.answers(records, rejected, span)
            for submission, answer in zip(submissions, answers, strict=True):
                if submission.key is not None:
                    kept = msgspec.json.encode({"accepted": answer.accepted, "rejected": answer.rejected})
                    tx.remember_answer(submission.client, submission.key, submission.digest, kept, now_s)
        reach("ingest.committed")
        return answers
