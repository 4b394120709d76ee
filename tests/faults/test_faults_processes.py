"""The harness: a server that is slow to start is waited for, and one that never is ready says so in its own words."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.processes import Home, Server


class _NotYet(http.server.BaseHTTPRequestHandler):
    """Ready at the `ready_at`th question."""

    asked, ready_at = 0, 3

    def do_GET(self) -> None:
        type(self).asked += 1
        self.send_response(200 if self.asked >= self.ready_at else 503)
        self.end_headers()
        self.wfile.write(b'{"reasons": ["the disk hangs"]}')

    def log_message(self, *_: object) -> None:
        """Nothing on the screen."""


class _Running:
    """A process that has not ended."""

    def poll(self) -> None:
        return None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server of the harness whose port answers as `_NotYet`."""
    _NotYet.asked, _NotYet.ready_at = 0, 3
    found = Server(Home(tmp_path))
    with http.server.HTTPServer(("127.0.0.1", 0), _NotYet) as answering:
        found.port, found.process = answering.server_port, _Running()  # type: ignore[assignment]
        thread = threading.Thread(target=answering.serve_forever)
        thread.start()
        yield found
        answering.shutdown()
        thread.join()


def test_a_server_is_waited_for_until_it_is_ready(server: Server) -> None:
    """Answers of 503 are asked again after."""
    server.wait_ready()

    assert _NotYet.asked == 3
    assert len(server.ready_s) == 1


def test_a_server_that_never_is_ready_is_told_with_its_last_answer(server: Server) -> None:
    """TimeoutError, no verdict on what it was to keep; it names what /ready said."""
    _NotYet.ready_at = 10**9

    with pytest.raises(TimeoutError, match=r"/ready said 503 .*the disk hangs"):
        server.wait_ready(timeout_s=0.2)
