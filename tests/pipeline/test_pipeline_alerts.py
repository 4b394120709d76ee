"""Telling people, over real sockets: at least once, under one id, also where half of the answers fail, and a kill."""

import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.alert import Route, Rules, send
from sentinel.errors import TransientError
from sentinel.pipeline.alerts import BACKOFF_CAP_S, Alerter, trial_notice
from sentinel.pipeline.incidents import Wanted, change_state, keep, list_incidents
from sentinel.pipeline.parts import Sentinel
from tests.pipeline.test_pipeline_words import NOW_S, START, anomalies

ROOT = Path(__file__).parents[2]


class Receiver:
    """An HTTP server that keeps what it took; `fails` says which requests (counted from 0) it answers with 503."""

    def __init__(self, fails: object = lambda count: False) -> None:
        self.taken: list[tuple[str, object]] = []
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                failing = outer.refuses(outer.asked)
                outer.asked += 1
                if not failing:
                    outer.taken.append((self.path, body))
                self.send_response(503 if failing else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.refuses = fails  # type: ignore[assignment]
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def events(self) -> list[tuple[str, str]]:
        return [(body["id"], body["event"]) for _, body in self.taken]  # type: ignore[index,call-overload]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    yield found
    found.close()


def told(sentinel: Sentinel, *urls: str, **more: object) -> Alerter:
    return Alerter(sentinel.spool, Rules((Route(urls, severity="low"),)), "https://logs.example/", **more)  # type: ignore[arg-type]


def happen(sentinel: Sentinel, address: str = "203.0.113.9") -> str:
    frame = anomalies(20, address=address)
    return keep(sentinel.spool, frame, [address] * frame.height)[0].id


def test_a_webhook_gets_each_event_once(sentinel: Sentinel, receiver: Receiver) -> None:
    """Opened and resolved, each once however often it is looked at; another process tells nothing twice."""
    incident = happen(sentinel)
    first = told(sentinel, f"http://{receiver.address}/hook")

    counts = [first.round(NOW_S), first.round(NOW_S + 1)]
    change_state(sentinel.spool, incident, "resolved")
    counts += [told(sentinel, f"http://{receiver.address}/hook").round(NOW_S + 2), first.round(NOW_S + 3)]

    assert counts == [1, 0, 1, 0]
    assert receiver.events() == [(incident, "opened"), (incident, "resolved")]
    body = receiver.taken[0][1]
    assert body["url"] == f"https://logs.example/incidents/{incident}"  # type: ignore[index,call-overload]
    assert body["incident"]["title"].startswith("20 failed log-ins")  # type: ignore[index,call-overload]
    assert "last_s" not in body["incident"]  # type: ignore[index,call-overload]


def test_nothing_is_lost_where_half_of_the_answers_fail(sentinel: Sentinel) -> None:
    """Every message arrives in the end, each once, the others wait meanwhile."""
    flaky = Receiver(lambda count: count % 2 == 0)
    ids = [happen(sentinel, f"203.0.113.{number}") for number in range(4)]
    alerter = told(sentinel, f"http://{flaky.address}/")

    for turn in range(20):
        alerter.round(NOW_S + turn * BACKOFF_CAP_S / 10)
    flaky.close()

    assert sorted(flaky.events()) == sorted((id_, "opened") for id_ in set(ids))
    assert flaky.asked > len(flaky.taken)


def test_an_address_that_is_away_waits_and_is_told_later(sentinel: Sentinel, receiver: Receiver) -> None:
    """It holds up no other address; its error says no more of it than the host."""
    happen(sentinel)
    alerter = told(sentinel, "http://127.0.0.1:9/secret-token", f"http://{receiver.address}/")

    assert alerter.round(NOW_S) == 1
    assert alerter.round(NOW_S + 1) == 0
    assert len(receiver.taken) == 1


def test_alertmanager_knows_an_alert_by_labels_that_never_change(sentinel: Sentinel, receiver: Receiver) -> None:
    """The same labels when it begins and when it ends; the end is in the past then."""
    incident = happen(sentinel)
    alerter = told(sentinel, f"alertmanager+http://{receiver.address}")

    alerter.round(NOW_S)
    change_state(sentinel.spool, incident, "resolved")
    alerter.round(NOW_S + 60)

    (path, (begun,)), (_, (ended,)) = receiver.taken  # type: ignore[misc]
    assert path == "/api/v2/alerts"
    assert begun["labels"] == ended["labels"]
    assert begun["labels"]["incident"] == incident
    assert datetime.fromisoformat(begun["endsAt"]).timestamp() > NOW_S + 3_600
    assert datetime.fromisoformat(ended["endsAt"]).timestamp() == NOW_S + 60


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of an SMTP server as takes a mail."""

    daemon_threads = True

    def __init__(self) -> None:
        self.mails: list[str] = []
        super().__init__(("127.0.0.1", 0), Postman)


class Postman(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (part := self.rfile.readline()) != b".\r\n":
                    lines.append(part.decode(errors="replace"))
                self.server.mails.append("".join(lines))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 well\r\n")
            if word == b"QUIT":
                return


def test_a_mail_is_sent_through_apprise(sentinel: Sentinel) -> None:
    """A real SMTP conversation on loopback; the subject is the title."""
    with Mailbox() as mailbox:
        threading.Thread(target=mailbox.serve_forever, daemon=True).start()
        port = mailbox.server_address[1]
        happen(sentinel)

        count = told(sentinel, f"mailto://127.0.0.1:{port}/?from=log@example.org&to=ops@example.org").round(NOW_S)
        mailbox.shutdown()

    assert count == 1
    assert len(mailbox.mails) == 1
    assert "failed" in mailbox.mails[0]


def test_an_address_that_nobody_knows_is_said(sentinel: Sentinel) -> None:
    """Without what comes after the host, which is often a key."""
    with pytest.raises(TransientError) as said:
        send("nosuch://host/key", trial_notice(None, START.astimezone(UTC)))

    assert "nosuch://host" in str(said.value)
    assert "key" not in str(said.value)


KILLED = """
import sys
from pathlib import Path
from sentinel import failpoints
from sentinel.alert import Route, Rules
from sentinel.pipeline.alerts import Alerter
from sentinel.spool import Spool

home, url, now_s = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
failpoints.arm_from_text("alert.sent:kill")
with Spool.open(home / "spool") as spool:
    Alerter(spool, Rules((Route((url,), severity="low"),)), None).round(now_s)
"""


def test_a_kill_after_sending_costs_one_repeat_with_the_same_id(sentinel: Sentinel, receiver: Receiver) -> None:
    """kill -9 between the answer and the note of it: told again once, and then no more."""
    incident, url = happen(sentinel), f"http://{receiver.address}/"
    command = [sys.executable, "-c", KILLED, str(sentinel.home), url, str(NOW_S)]
    ended = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, timeout=120, check=False
    )

    alerter = told(sentinel, url)
    counts = [alerter.round(NOW_S + 1), alerter.round(NOW_S + 2)]

    assert ended.returncode < 0, ended.stderr
    assert counts == [1, 0]
    assert receiver.events() == [(incident, "opened")] * 2
    assert len(list_incidents(sentinel.spool, Wanted())) == 1
