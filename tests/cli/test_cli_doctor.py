"""`sentinel doctor` on real homes: it looks, names what is wrong, changes nothing, and exits 1 if anything is."""

import re
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import orjson
import polars as pl
import pytest

from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool
from tests.cli.cli_records import NOW, records

Command = Callable[..., Any]


def findings(ran: Any) -> dict[str, list[str]]:
    """check → state and text of each finding."""
    rows = orjson.loads(ran.out)["findings"]
    return {row["check"]: [f"{r['state']}: {r['what']}" for r in rows if r["check"] == row["check"]] for row in rows}


def test_fresh_home_is_looked_at_and_left_alone(sentinel_command: Command, home: Path) -> None:
    """Before the first start there is nothing but a missing model to complain of, and no file is made."""
    ran = sentinel_command("doctor")

    assert ran.code == 1
    assert "no model yet" in ran.out
    assert ran.out.count("PROBLEM") == 1
    assert not home.exists()


def test_store_that_is_away_is_told_with_its_time(
    sentinel_command: Command, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits, and since when the store fails, as the last delivery noted it."""
    monkeypatch.setenv("ELASTIC_ADDR", "http://127.0.0.1:9")
    with spool.transaction() as tx:
        tx.append(records(["one", "two"]))
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        assert lease is not None
        tx.postpone(lease, 3, 0.0, "refused")
        tx.put_blob("failing-deliver", b'{"since_s": %d}' % int((NOW - timedelta(minutes=15)).timestamp()))

    ran = sentinel_command("doctor", "--json")

    (told,) = findings(ran)["store"]
    assert ran.code == 1
    assert re.search(r"\((1[5-9]|2\d) min\)", told)
    assert "2 records wait" in told


def test_damaged_spool_is_told_with_the_way_out(sentinel_command: Command, home: Path, spool: Spool) -> None:
    """A spool whose file is broken is one finding; the other checks still run."""
    spool.close()
    file = home / "spool" / "spool.db"
    file.write_bytes(b"x" * 8192 + file.read_bytes()[8192:])

    found = findings(sentinel_command("doctor", "--json"))

    assert "spool repair" in found["spool"][0]
    assert "dead letters" not in found
    assert "model" in found


def test_dates_in_the_future_dead_letters_and_rights_are_told(
    sentinel_command: Command, home: Path, spool: Spool
) -> None:
    """The source whose clock is off, the reason of a dead letter, and a home that others could read till then."""
    with spool.transaction() as tx:
        late = pl.lit(NOW + timedelta(hours=5)).cast(RECORD_SCHEMA["timestamp"])
        tx.append(records(["one", "two"], source="till").with_columns(timestamp=late))
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        assert lease is not None
        tx.move(lease, 2, dead={2: "400 document_parsing_exception: no such field"})
    home.chmod(0o755)
    (home / "signing.key").write_bytes(b"k" * 32)
    (home / "signing.key").chmod(0o644)

    found = findings(sentinel_command("doctor", "--json"))

    assert "records of till are dated up to 5 h" in found["clock"][0]
    assert "1 of the events cannot be delivered: 400 document_parsing_exception" in found["dead letters"][0]
    assert found["home"][0] == "ok: readable by its owner alone"
    assert home.stat().st_mode & 0o077 == 0


def test_unreadable_file_and_missing_folder_are_told(
    sentinel_command: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watched folder that is not there; an archive that is not read."""
    (home.parent / "in" / "old.zip").write_bytes(b"PK")
    archive = findings(sentinel_command("doctor", "--json"))["watched folder"]
    monkeypatch.setenv("LOG_SENTINEL_DIR", str(home.parent / "nowhere"))
    missing = findings(sentinel_command("doctor", "--json"))["watched folder"]

    assert [found.partition(": ")[0] for found in archive] == ["ok", "note"]
    assert "old.zip" in archive[1]
    assert "LOG_SENTINEL_DIR" in missing[0]


def test_port_of_another_program_is_told(sentinel_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Something else that listens where our server would; a free port is a note."""
    with socket.socket() as other, socket.socket() as free:
        other.bind(("127.0.0.1", 0))
        other.listen()
        free.bind(("127.0.0.1", 0))
        ports = [other.getsockname()[1], free.getsockname()[1]]
        monkeypatch.setenv("LOG_SENTINEL_PORTS", ",".join(map(str, ports)))

        found = findings(sentinel_command("doctor", "--json"))["ports"]

    assert "problem: " in found[0]
    assert "another program" in found[0]
    assert found[1].startswith("note: ")


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"readers": {"detect": {"lag": 7, "error": "disk full"}}, "model_problem": None}, "disk full; 7 records"),
        ({"readers": {"detect": {"lag": 0, "error": None}}, "model_problem": "digest differs"}, "digest differs"),
        ({"readers": {}}, "does not say how it is"),
    ],
)
def test_detection_that_fails_is_told(
    sentinel_command: Command, monkeypatch: pytest.MonkeyPatch, status: dict[str, Any], said: str
) -> None:
    """The server that runs is asked, with its key, how its detector fares; what it says of a failure is a problem."""
    answers = {"/health": {"status": "alive"}, "/status": status}

    class Ours(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            may_know = self.path == "/health" or self.headers["Authorization"] == "Bearer the key"
            self.send_response(200 if may_know else 401)
            self.end_headers()
            self.wfile.write(orjson.dumps(answers[self.path] if may_know else {"status": 401}))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Ours) as ours:
        threading.Thread(target=ours.serve_forever, daemon=True).start()
        monkeypatch.setenv("LOG_SENTINEL_PORTS", str(ours.server_port))
        monkeypatch.setenv("LOG_SENTINEL_KEY", "the key")
        found = findings(sentinel_command("doctor", "--json"))["detection"]
        ours.shutdown()

    assert found[0].startswith("problem: ")
    assert said in found[0]


def test_foreign_index_is_told(
    sentinel_command: Command, elastic_url: str, elastic_index: str, monkeypatch: Any
) -> None:
    """An index in the place of our alias, one without our template, a block on writing: each with the way out."""
    from elasticsearch import Elasticsearch

    monkeypatch.setenv("ELASTIC_ADDR", elastic_url)
    monkeypatch.setenv("ELASTIC_INDEX", elastic_index)
    client = Elasticsearch(elastic_url)
    client.indices.create(index=elastic_index)
    client.indices.create(index=f"{elastic_index}-events-2026.11", settings={"index.blocks.write": True})
    try:
        ran = sentinel_command("doctor", "--json")
        told = "\n".join(findings(ran)["store"])
    finally:
        client.indices.delete(index=f"{elastic_index},{elastic_index}-events-2026.11")
        client.close()

    assert f"an index named {elastic_index} is there and is not ours" in told
    assert "without our template" in told
    assert "blocked (write)" in told
    assert "ask who set this, then PUT" in ran.out
    assert "not set up there yet" in told


def test_missing_privileges_are_told_by_name(
    sentinel_command: Command, secure_elastic: Any, elastic_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong key, a key without a privilege, and one that has all that delivery and reading need."""
    from elasticsearch import Elasticsearch

    from sentinel.store.answers import PRIVILEGES

    admin = Elasticsearch(
        secure_elastic.url, basic_auth=("elastic", secure_elastic.password), ca_certs=str(secure_elastic.ca_file)
    )

    def key(without: str) -> str:
        parts = [*PRIVILEGES["deliver"].items(), *PRIVILEGES["read"].items()]
        indices = [
            {"names": names.replace("<index>", elastic_index).split(","), "privileges": [p for p in ps if p != without]}
            for names, ps in parts
            if names != "cluster"
        ]
        role = {"cluster": ["monitor"], "indices": [row for row in indices if row["privileges"]]}
        return str(admin.security.create_api_key(name="t", role_descriptors={"t": role})["encoded"])

    monkeypatch.setenv("ELASTIC_ADDR", secure_elastic.url)
    monkeypatch.setenv("ELASTIC_CA_FILE", str(secure_elastic.ca_file))
    monkeypatch.setenv("ELASTIC_INDEX", elastic_index)
    told = []
    for api_key in ("bm9uZTpub25l", key("create_doc"), key("")):
        monkeypatch.setenv("ELASTIC_API_KEY", api_key)
        told.append("\n".join(findings(sentinel_command("doctor", "--json"))["store"]))
    admin.close()

    assert "does not know this key" in told[0]
    assert "lacks create_doc on" in told[1]
    assert "lacks" not in told[2]
