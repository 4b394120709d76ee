"""A real server process: two ports, kills, other processes' models, slow and huge clients, a store that is away."""

import contextlib
import gzip
import http.client
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.serving.server_process import COMMAND, Server, environment, eventually, serving

MIB = 1024 * 1024
LOG = {"message": "user logged in", "level": "info", "source": "app"}
NORMAL = [{"message": f"user {n} logged in from 10.0.0.{n % 9}", "source": "app"} for n in range(40)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that several tests share; each leaves it working."""
    with serving(tmp_path_factory.mktemp("home")) as running:
        yield running


def ledger(server: Server) -> dict[str, int]:
    found = server.client.get("/status").json()["ledger"]
    assert found["received"] == found["accepted"] + found["rejected"]
    assert found["accepted"] == found["delivered"] + found["waiting"] + found["dead"]
    return dict(found)


def version(server: Server) -> str | None:
    model = server.client.get("/status").json()["model"]
    return model["version"] if model else None


def test_server_answers_on_all_its_ports(server: Server) -> None:
    """One process, the same routes on each port."""
    assert len(server.urls) == 2
    uptimes = [httpx.get(f"{url}/health").json() for url in server.urls]

    assert {answer["status"] for answer in uptimes} == {"alive"}
    assert server.client.get("/ready").json()["ready"] is True


def test_server_delivers_what_it_took_in(server: Server) -> None:
    """What was accepted is in the store soon after, and the books balance all along."""
    before = ledger(server)

    answer = server.client.post("/logs", json=[LOG] * 50)

    assert answer.status_code == 202
    assert answer.json() == {"accepted": 50, "rejected": []}
    eventually(lambda: ledger(server)["delivered"] == before["delivered"] + 50)


def test_doctor_asks_the_server_that_runs(server: Server) -> None:
    """`sentinel doctor` beside a server finds it on its port, and that it scores what comes in."""
    port = str(urlsplit(server.urls[0]).port)

    ended = subprocess.run(
        [sys.executable, "-m", "sentinel.cli", "doctor", "--json"],
        cwd=server.home,
        env=environment(server.home, LOG_SENTINEL_PORTS=port),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    states = {found["check"]: (found["state"], found["what"]) for found in json.loads(ended.stdout)["findings"]}
    assert states["ports"] == ("ok", f"the server answers on {port}")
    assert states["detection"] == ("ok", "the server scores what comes in")


def test_second_server_names_the_port_that_is_taken(server: Server, tmp_path: Path) -> None:
    """A start on a taken port fails, and says which."""
    port = urlsplit(server.urls[1]).port

    ended = subprocess.run(
        COMMAND,
        cwd=tmp_path,
        env=environment(tmp_path, LOG_SENTINEL_PORTS=f"0,{port}"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode not in {0, None}
    assert f"port {port}" in ended.stderr
    assert "LOG_SENTINEL_PORTS" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_repeat_with_the_same_key_is_taken_in_once(server: Server) -> None:
    """The same Idempotency-Key with the same body gets the first answer; with another body it is 422."""
    before = ledger(server)["accepted"]
    headers = {"Idempotency-Key": "batch-1"}

    answers = [server.client.post("/logs", json=[LOG, {"level": "info"}], headers=headers) for _ in range(3)]
    other = server.client.post("/logs", json=[LOG, LOG], headers=headers)
    zipped = server.client.post(
        "/logs",
        content=gzip.compress(answers[0].request.content),
        headers={**headers, "Content-Encoding": "gzip", "Content-Type": "application/json"},
    )

    assert [answer.status_code for answer in answers] == [202, 202, 202]
    assert {answer.text for answer in [*answers, zipped]} == {answers[0].text}
    assert other.status_code == 422
    assert "Idempotency-Key" in other.json()["detail"]
    assert ledger(server)["accepted"] == before + 1


@pytest.mark.parametrize("key", ["", "k" * 256, "schl\u00fcssel", "a\tb"])
def test_key_is_refused_when_it_is_unusable(server: Server, key: str) -> None:
    """An Idempotency-Key is short and printable."""
    answer = server.client.post("/logs", json=LOG, headers={"Idempotency-Key": key.encode()})

    assert answer.status_code == 400


def test_huge_body_is_refused_while_it_comes(server: Server) -> None:
    """50 MB are 413, announced or not, and others are answered meanwhile."""
    host = urlsplit(server.urls[0])

    announced = http.client.HTTPConnection(host.hostname or "", host.port, timeout=30)
    announced.putrequest("POST", "/logs")
    announced.putheader("Content-Length", str(50 * MIB))
    announced.endheaders()
    assert announced.getresponse().status == 413
    announced.close()

    chunks = (bytes(64 * 1024) for _ in range(50 * 16))
    refused = None
    try:
        refused = httpx.post(f"{server.urls[1]}/logs", content=chunks, timeout=30).status_code
    except httpx.TransportError:
        refused = 413  # the client was still sending when the connection ended
    assert refused == 413
    assert server.client.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/logs", "/train", "/predict"])
def test_bomb_is_refused_without_being_inflated(server: Server, path: str) -> None:
    """A megabyte that would become a gigabyte is 413, and memory stays where it was."""
    packer = gzip.GzipFile
    bomb = _bomb(packer)
    peak_before = _peak_kib(server)

    answer = server.client.post(path, content=bomb, headers={"Content-Encoding": "gzip"})

    assert answer.status_code == (413 if path != "/predict" or version(server) else 503)
    assert _peak_kib(server) - peak_before < 96 * 1024


def _bomb(packer: type[gzip.GzipFile]) -> bytes:
    import io

    target = io.BytesIO()
    with packer(fileobj=target, mode="wb", compresslevel=9) as file:
        for _ in range(256):
            file.write(bytes(4 * MIB))
    return target.getvalue()


def _peak_kib(server: Server) -> int:
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmHWM:")))


def test_slow_clients_are_cut_and_others_served(server: Server) -> None:
    """Two hundred sockets that send half a header are all closed, while a good client is answered."""
    host = urlsplit(server.urls[0])
    slow = [socket.create_connection((host.hostname, host.port), timeout=30) for _ in range(200)]
    for connection in slow:
        connection.sendall(b"POST /logs HTTP/1.1\r\nHost: x\r\nX-Slow: ")

    assert server.client.post("/logs", json=LOG).status_code == 202
    for connection in slow:
        with contextlib.suppress(ConnectionResetError):
            assert connection.recv(1) == b""
        connection.close()


def test_concurrent_requests_share_commits(server: Server) -> None:
    """Many small requests at once make fewer batches in the spool than there are requests."""
    spool = next(Path(server.home).glob("spool/*.db"))
    before = _batches(spool)
    requests, threads = 25, 16

    def send() -> None:
        with httpx.Client(base_url=server.urls[0], timeout=60) as client:
            for _ in range(requests):
                assert client.post("/logs", json=LOG).status_code == 202

    senders = [threading.Thread(target=send) for _ in range(threads)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert 0 < _batches(spool) - before < requests * threads


def _batches(spool: Path) -> int:
    with contextlib.closing(sqlite3.connect(f"{spool.as_uri()}?mode=ro", uri=True)) as connection:
        found: int = connection.execute("SELECT coalesce(max(id), 0) FROM batches").fetchone()[0]
    return found


def test_predict_says_what_to_do_when_there_is_no_model(tmp_path: Path) -> None:
    """Before the first training the answer is 503, never a score."""
    with serving(tmp_path / "home") as fresh:
        answer = fresh.client.post("/predict", json=LOG)
        taken = fresh.client.post("/logs?score=true", json=LOG)

    assert answer.status_code == 503
    assert "/train" in answer.json()["detail"]
    assert taken.status_code == 202
    assert taken.json()["verdicts"] == [None]


def test_model_is_reloaded_when_the_server_was_killed(tmp_path: Path) -> None:
    """Two lines are enough to train; after kill -9 the same model serves and the records are there."""
    home = tmp_path / "home"
    with serving(home) as first:
        trained = first.client.post("/train", json=[LOG, {**LOG, "message": "user logged out"}])
        assert trained.status_code == 200
        assert trained.json()["confidence"] == "low"
        assert trained.json()["promoted"] is True
        verdict = first.client.post("/predict", json=LOG).json()
        assert first.client.post("/logs", json=[LOG] * 7).status_code == 202
        first.kill()

    with serving(home) as second:
        eventually(lambda: version(second) is not None)
        again = second.client.post("/predict", json=LOG).json()
        assert ledger(second)["accepted"] == 7

    assert again["model_version"] == verdict["model_version"] == trained.json()["model_version"]


def test_model_of_another_process_is_picked_up(tmp_path: Path) -> None:
    """Whoever trains, the server serves the new model by itself; the way back works, too."""
    lines = tmp_path / "normal.ndjson"
    lines.write_text("".join(json.dumps(log) + "\n" for log in NORMAL))
    command = [sys.executable, "-m", "sentinel.cli", "train", "--json", "--file", str(lines)]
    home = tmp_path / "home"

    with serving(home) as running:
        first = running.client.post("/train", json=NORMAL).json()["model_version"]
        ended = subprocess.run(
            command, cwd=home, env=environment(home), capture_output=True, text=True, timeout=120, check=False
        )
        assert ended.returncode == 0, ended.stderr
        second = json.loads(ended.stdout)["model_version"]
        eventually(lambda: version(running) == second)

        back = running.client.post(f"/models/{first}/promote")
        assert back.json() == {"version": first, "in_service": True}
        assert running.client.post("/predict", json=LOG).json()["model_version"] == first
        pinned = running.client.post(f"/models/{first}/pin")
        wrong = running.client.post(f"/models/{first}/pin", json={"pinned": "yes"})
        rows = running.client.get("/models").json()

    assert (pinned.status_code, pinned.json(), wrong.status_code) == (200, {"version": first, "pinned": True}, 400)
    assert {row["version"]: (row["champion"], row["pinned"]) for row in rows} == {
        first: (True, True),
        second: (False, False),
    }


def test_predict_has_all_its_fields_and_changes_nothing(tmp_path: Path) -> None:
    """One log gives one verdict, an array gives an array, and asking twice gives the same twice."""
    with serving(tmp_path / "home") as running:
        running.client.post("/train", json=NORMAL)
        answers = [running.client.post("/predict", json=LOG).json() for _ in range(3)]
        several = running.client.post("/predict", json=[LOG, LOG]).json()
        lines = running.client.post(
            "/predict", content=json.dumps(LOG) + "\n", headers={"Content-Type": "application/x-ndjson"}
        )

    expected = {
        "anomaly_score",
        "is_anomaly",
        "threshold",
        "kind",
        "reasons",
        "template",
        "model_version",
        "confidence",
    }
    assert set(answers[0]) == expected
    assert 0 <= answers[0]["anomaly_score"] <= 1
    assert answers[0] == answers[1] == answers[2]
    assert len(several) == 2
    assert isinstance(lines.json(), list)


def test_logs_are_answered_with_verdicts_when_asked(tmp_path: Path) -> None:
    """?score=true gives the live reader's own verdicts, one an accepted log."""
    with serving(tmp_path / "home") as running:
        running.client.post("/train", json=NORMAL)
        answer = running.client.post("/logs?score=true", json=[*NORMAL[:3], {"level": "info"}]).json()

    assert answer["accepted"] == 3
    assert len(answer["verdicts"]) == 3
    assert all(verdict is None or 0 <= verdict["anomaly_score"] <= 1 for verdict in answer["verdicts"])


def test_second_training_is_refused_while_one_is_under_way(tmp_path: Path) -> None:
    """One training at a time; the other gets 409 and the first goes on."""
    many = [{"message": f"job {n} took {n * 7 % 300} ms", "source": f"worker{n % 4}"} for n in range(3_000)]
    with serving(tmp_path / "home") as running:
        first: list[httpx.Response] = []
        thread = threading.Thread(
            target=lambda: first.append(httpx.post(f"{running.urls[1]}/train", json=many, timeout=300))
        )
        thread.start()
        eventually(lambda: running.client.get("/status").json()["training"]["is_busy"])
        second = running.client.post("/train", json=many[:10])
        thread.join()

    assert second.status_code == 409
    assert first[0].status_code == 200
    assert first[0].json()["rows"] == 3_000


def test_training_goes_on_when_the_client_leaves(tmp_path: Path) -> None:
    """Who hangs up does not take the training along."""
    with serving(tmp_path / "home") as running:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{running.urls[0]}/train", json=NORMAL, timeout=httpx.Timeout(30, read=0.05))
        eventually(lambda: version(running) is not None)


def test_stop_does_not_wait_for_a_training(tmp_path: Path) -> None:
    """A signal ends the training under way; its caller is told to come back, and the server ends in order."""
    with serving(tmp_path / "home") as running:
        answers: list[httpx.Response] = []
        many = [{"message": f"job {n} took {n * 7 % 300} ms", "source": f"worker{n % 4}"} for n in range(80_000)]
        thread = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{running.urls[1]}/train", json=many, timeout=300))
        )
        thread.start()
        eventually(lambda: running.client.get("/status").json()["training"]["is_busy"])

        assert running.stop() == 0
        thread.join()

    assert answers[0].status_code == 503
    assert "stopping" in answers[0].json()["detail"]


def test_training_from_the_store_learns_what_was_delivered(tmp_path: Path) -> None:
    """An empty body trains on the store; an empty store is 422 with what to do."""
    with serving(tmp_path / "home") as running:
        empty = running.client.post("/train")
        running.client.post("/logs", json=NORMAL)
        eventually(lambda: ledger(running)["delivered"] == len(NORMAL))
        trained = running.client.post("/train", content=b"")

    assert empty.status_code == 422
    assert trained.status_code == 200, trained.text
    assert trained.json()["rows"] == len(NORMAL)


def test_logs_are_taken_in_when_the_store_is_away(tmp_path: Path) -> None:
    """Without the store intake answers 202, /ready stays 200 and shows it, the records wait."""
    with serving(tmp_path / "home", ELASTIC_ADDR="http://127.0.0.1:9") as running:
        answers = [running.client.post("/logs", json=[LOG] * 10).status_code for _ in range(5)]
        eventually(lambda: running.client.get("/status").json()["store"]["reachable"] is False)
        eventually(lambda: running.client.get("/status").json()["readers"]["deliver"]["error"])
        status = running.client.get("/status").json()
        ready = running.client.get("/ready")
        books = ledger(running)

    assert answers == [202] * 5
    assert status["store"]["kind"] == "elasticsearch"
    assert (books["accepted"], books["waiting"], books["delivered"]) == (50, 50, 0)
    assert ready.status_code == 200
    assert ready.json()["store"]["reachable"] is False


def test_logs_are_refused_for_now_when_the_disk_is_full(tmp_path: Path) -> None:
    """With no room left on the disk intake answers 503 with Retry-After, and /ready says why."""
    with serving(tmp_path / "home", LOG_SENTINEL_MIN_FREE_MB="100000000") as running:
        answer = running.client.post("/logs", json=LOG)
        ready = running.client.get("/ready")

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert ready.status_code == 503
    assert "free" in ready.json()["reasons"][0]


def test_ready_says_no_when_the_spool_has_no_room_for_a_request(tmp_path: Path) -> None:
    """Where requests of some size are refused, /ready degrades too, although one short line would still go in."""
    bulk = [LOG | {"message": secrets.token_hex(1_000)} for _ in range(20)]
    settings = {"ELASTIC_ADDR": "http://127.0.0.1:9", "LOG_SENTINEL_SPOOL_MAX_MB": "16"}
    with serving(tmp_path / "home", **settings) as running:
        codes = {running.client.post("/logs", json=bulk).status_code for _ in range(600)}
        eventually(lambda: running.client.get("/ready").status_code == 503)
        ready, short = running.client.get("/ready"), running.client.post("/logs", json=LOG)

    assert codes == {202, 503}
    assert "wait for delivery" in ready.json()["reasons"][0]
    assert short.status_code == 202


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_is_orderly_when_a_signal_comes(tmp_path: Path, number: int) -> None:
    """The server ends by itself with code 0, and what it took in is there at the next start."""
    home = tmp_path / "home"
    with serving(home) as running:
        running.client.post("/logs", json=[LOG] * 3)
        os.kill(running.process.pid, number)
        assert running.stop() == 0
        assert "stopped" in running.said[-1]
    with serving(home) as again:
        assert ledger(again)["accepted"] == 3


def test_server_asks_for_the_key_when_one_is_set(tmp_path: Path) -> None:
    """With a key, everything but the probes is 401 without it."""
    with serving(tmp_path / "home", LOG_SENTINEL_KEY="s3cret") as running:
        codes = {path: running.client.get(path).status_code for path in ("/status", "/metrics", "/health", "/ready")}
        posted = running.client.post("/train", json=NORMAL).status_code
        known = running.client.get("/status", headers={"X-API-Key": "s3cret"}).status_code

    assert codes == {"/status": 401, "/metrics": 401, "/health": 200, "/ready": 200}
    assert (posted, known) == (401, 200)
    assert "s3cret" not in "".join(running.said)


def test_metrics_are_prometheus_text(server: Server) -> None:
    """The books, the readers and the latencies are there, and every line is one that Prometheus reads."""
    from prometheus_client.parser import text_string_to_metric_families

    server.client.post("/logs", json=[LOG, {"level": "info"}])

    families = {family.name: family for family in text_string_to_metric_families(server.client.get("/metrics").text)}

    books = {
        name: families[f"sentinel_{name}"].samples[0].value
        for name in ("received", "accepted", "delivered", "waiting_records", "dead_records")
    }
    rejected = sum(sample.value for sample in families["sentinel_rejected"].samples)
    assert books["received"] == books["accepted"] + rejected
    assert books["accepted"] == books["delivered"] + books["waiting_records"] + books["dead_records"]
    assert {"sentinel_predict_seconds", "sentinel_deliver_round_seconds", "sentinel_scored"} <= set(families)
    assert "sentinel_oldest_waiting_seconds" in families


def test_time_passes_while_big_bodies_are_read(server: Server) -> None:
    """The event loop is not held up by the decoding of big bodies: small requests are answered meanwhile."""
    big = json.dumps([LOG] * 60_000).encode()
    thread = threading.Thread(target=lambda: httpx.post(f"{server.urls[1]}/logs", content=big, timeout=120))
    answered = 0
    thread.start()
    while thread.is_alive():
        assert server.client.get("/health").status_code == 200
        answered += 1
        time.sleep(0.01)
    thread.join()

    assert answered > 3
