"""The harness's side of the fake Elasticsearch: start it, tell it how to fail, read what it got."""

import http.client
import subprocess
import sys
import time
from types import TracebackType
from typing import Self

import orjson

from tests.faults.processes import ROOT, free_port

__all__ = ["FakeElastic"]


class FakeElastic:
    """The fake in a process of its own; `url` is what ELASTIC_ADDR takes."""

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed
        self.port, self._control = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        arguments = ["-m", "tests.faults.fake_elastic", str(self.port), str(self._control), str(self._seed)]
        self._process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT)
        deadline = time.monotonic() + 20
        while True:
            try:
                self.stats()
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _ask(self, path: str, value: object = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._control, timeout=120)
        try:
            method, body = ("GET", None) if value is None else ("POST", orjson.dumps(value))
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()

    def odds(self, *pairs: tuple[float, dict[str, object]]) -> None:
        """The chances of faults of each bulk from now on; none given: it answers well."""
        self._ask("/odds", pairs)

    def script(self, *faults: dict[str, object]) -> None:
        """The faults of the next bulks, in order; `{}` answers well."""
        self._ask("/script", faults)

    def rules(self, **rules: object) -> None:
        """Change standing rules; see `fake_index.Rules`."""
        self._ask("/rules", rules)

    def forget(self) -> None:
        """Begin anew: no documents, no faults, no rules, no counts."""
        self._ask("/forget", {})

    def down(self) -> None:
        """Refuse connections and reset those that are open."""
        self._ask("/down", {})

    def up(self) -> None:
        """Listen again."""
        self._ask("/up", {})

    def stats(self) -> dict[str, int]:
        """Counts of requests, documents and faults."""
        answer: dict[str, int] = orjson.loads(self._ask("/stats"))
        return answer

    def dump(self) -> list[list[object]]:
        """All documents: [index, id, message, timestamp, level, source, host]."""
        return [orjson.loads(line) for line in self._ask("/dump").splitlines()]
