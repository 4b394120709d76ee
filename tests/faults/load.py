"""Load: HTTP clients that never lie about an ack, and a writer of log files that rotates them."""

import contextlib
import gzip
import http.client
import itertools
import random
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path

import orjson

from tests.faults.oracle import FILES, HTTP, Event, Oracle, batch_sizes, body_of

__all__ = ["Clients", "Writer"]

RETRY_S = 0.02
PATIENCE_S = 90.0


class Clients:
    """Client threads that send `total` events; half of the requests carry an Idempotency-Key and are repeated."""

    def __init__(
        self, oracle: Oracle, port: int, *, total: int, threads: int = 4, rate: Callable[[], float] | None = None
    ) -> None:
        self._oracle, self._port, self._total, self._rate = oracle, port, total, rate
        self._stopped = threading.Event()
        self.latencies_s: list[float] = []
        self.failures: list[str] = []
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(threads)]

    def start(self) -> None:
        """Start sending."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Send no new request."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until all was sent (or `stop`)."""
        for thread in self._threads:
            thread.join()

    @property
    def is_done(self) -> bool:
        """All was sent."""
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, number: int) -> None:
        dice = random.Random(self._oracle.seed * 101 + number)
        link = Link(self._port)
        for size in batch_sizes(self._oracle.seed * 103 + number):
            if self._stopped.is_set() or self._oracle.issued(HTTP) >= self._total:
                break
            numbers = self._oracle.issue(HTTP, size)
            bad_at = dice.randint(0, size) if dice.random() < 0.02 else None
            key = secrets.token_hex(8) if dice.random() < 0.5 else None
            began = time.monotonic()
            try:
                self._send(link, numbers, bad_at, key)
            except Exception as exc:
                self.failures.append(f"{type(exc).__name__}: {exc}")
                raise
            if self._rate is not None:
                self._stopped.wait(max(0.0, size / self._rate() * len(self._threads) - (time.monotonic() - began)))
        link.close()

    def _send(self, link: "Link", numbers: range, bad_at: int | None, key: str | None) -> None:
        """Send one batch until it is acknowledged, or until nothing can be known about it any more."""
        body = body_of([self._oracle.event(HTTP, number) for number in numbers], bad_at)
        self._oracle.refused(issued=bad_at is not None)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and not (self._stopped.is_set() and key is None):
            began = time.monotonic()
            status, answer = link.post("/logs", body, key)
            self._oracle.note(str(status))
            if status == 202:
                self.latencies_s.append(time.monotonic() - began)
                self._check(answer, numbers, bad_at)
                self._oracle.acknowledge(HTTP, numbers)
                self._oracle.refused(acknowledged=bad_at is not None)
                return
            if status == "cut" and key is None:
                return  # sent, and no answer: it may be in or not, and a repeat could make it two
            if status not in ("refused", "cut", 503):
                raise AssertionError(f"POST /logs answered {status}: {answer[:300]!r}")
            time.sleep(RETRY_S)

    def _check(self, answer: bytes, numbers: range, bad_at: int | None) -> None:
        told = orjson.loads(answer)
        rejected = [] if bad_at is None else [bad_at]
        if told["accepted"] != len(numbers) or [one["index"] for one in told["rejected"]] != rejected:
            raise AssertionError(f"sent {len(numbers)} events and a bad one at {bad_at}, told {answer[:300]!r}")


class Link:
    """One connection that is opened anew after a failure, and that tells "refused" from "cut"."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._connection: http.client.HTTPConnection | None = None
        self.retry_after = ""  # of the last answer

    def post(self, path: str, body: bytes, key: str | None) -> tuple[int | str, bytes]:
        """Status and body; "refused": nothing was sent; "cut": something was sent and no whole answer came."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        if self._connection is None:
            fresh = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                fresh.connect()
            except OSError:
                return "refused", b""
            self._connection = fresh
        try:
            self._connection.request("POST", path, body, headers)
            answer = self._connection.getresponse()
            self.retry_after = answer.getheader("Retry-After", "")
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return "cut", b""

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Writer:
    """Writes lines to files of the watched folder and rotates them: rename and create, and later gzip if asked."""

    def __init__(
        self,
        oracle: Oracle,
        folder: Path,
        *,
        total: int,
        per_second: float,
        rotate_every: int = 4000,
        files: int = 2,
        packing: bool = False,
    ) -> None:
        self._oracle, self._folder, self._total, self._per_second = oracle, folder, total, per_second
        self._rotate_every, self._files, self._packing = rotate_every, files, packing
        self._dice = random.Random(oracle.seed * 107)
        self._stopped = threading.Event()
        self.rotations = 0
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write no more."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until all was written (or `stop`)."""
        self._thread.join()

    @property
    def is_done(self) -> bool:
        """All was written."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        with contextlib.ExitStack() as stack:
            names = [f"app{number}.log" for number in range(self._files)]
            open_files = {name: (self._folder / name).open("ab", buffering=0) for name in names}
            written = dict.fromkeys(names, 0)
            stack.callback(lambda: [file.close() for file in open_files.values()])
            began, sent = time.monotonic(), 0
            while sent < self._total and not self._stopped.is_set():
                name = self._dice.choice(names)
                numbers = self._oracle.issue(FILES, min(self._dice.randint(1, 200), self._total - sent))
                self._write(open_files[name], [self._oracle.event(FILES, number) for number in numbers])
                self._oracle.acknowledge(FILES, numbers)
                sent += len(numbers)
                written[name] += len(numbers)
                if written[name] >= self._rotate_every:
                    open_files[name].close()
                    self._rotate(name)
                    open_files[name] = (self._folder / name).open("ab", buffering=0)
                    written[name] = 0
                self._stopped.wait(max(0.0, began + sent / self._per_second - time.monotonic()))

    def _write(self, file, events: list[Event]) -> None:  # type: ignore[no-untyped-def]
        """Append the lines in one to three pieces, which may end inside a line."""
        data = b"".join(map(line_of, events))
        cuts = sorted(self._dice.randint(0, len(data)) for _ in range(self._dice.choice((0, 0, 1, 2))))
        for start, end in itertools.pairwise([0, *cuts, len(data)]):
            file.write(data[start:end])

    def _rotate(self, name: str) -> None:
        """name → name.1 → name.2 … as logrotate does; with `packing` the third from last is compressed."""
        self.rotations += 1
        stems = sorted(self._folder.glob(f"{name}.*"), key=lambda path: -int(path.suffixes[1][1:]))
        for path in stems:
            number = int(path.suffixes[1][1:])
            packed = ".gz" if path.suffix == ".gz" else ""
            path.rename(self._folder / f"{name}.{number + 1}{packed}")
        (self._folder / name).rename(self._folder / f"{name}.1")
        if self._packing and (old := self._folder / f"{name}.3").exists():
            hidden = self._folder / f".{name}.3.gz.tmp"
            with gzip.open(hidden, "wb") as packed_file:
                packed_file.write(old.read_bytes())
            hidden.rename(self._folder / f"{name}.3.gz")
            old.unlink()


def line_of(event: Event) -> bytes:
    """One line of a log file: JSON for most, syslog (RFC 5424) for every fourth."""
    number = int(event.token[1:9])
    if number % 4:
        return orjson.dumps(event.document()) + b"\n"
    severity = {"debug": 7, "info": 6, "warn": 4, "error": 3}[event.level]
    return f"<{8 + severity}>1 {event.stamp()} {event.host} {event.source} - - - {event.message}\n".encode()
