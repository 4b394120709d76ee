"""Whatever is sent, the answer is never a 5xx that was not meant, and what was good is kept."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.serving.server_process import Server, serving

MIB = 1024 * 1024
GOOD = '{"message": "user logged in", "level": "info", "source": "app"}'

BODIES: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n\t\r\n ",
    "null": b"null",
    "true": b"true",
    "number": b"42",
    "string": b'"a line"',
    "empty string": b'""',
    "empty array": b"[]",
    "empty object": b"{}",
    "array of nothing": b"[null, 1, true, [], {}, 1.5]",
    "array in array": b'[[{"message": "a"}]]',
    "strings": b'["a", "b"]',
    "open object": b'{"message": "a"',
    "open array": b'[{"message": "a"},',
    "open string": b'{"message": "a',
    "two objects": b'{"message": "a"}{"message": "b"}',
    "trailing comma": b'{"message": "a",}',
    "single quotes": b"{'message': 'a'}",
    "comment": b'{"message": "a"} // b',
    "no message": b'{"level": "info"}',
    "message null": b'{"message": null}',
    "message number": b'{"message": 12}',
    "message list": b'{"message": ["a"]}',
    "message object": b'{"message": {"a": 1}}',
    "message empty": b'{"message": ""}',
    "message blank": b'{"message": "  \\n "}',
    "message nul": b'{"message": "a\\u0000b"}',
    "message controls": b'{"message": "a\\r\\n\\u001b[31mb\\u2028c"}',
    "message twice": b'{"message": "a", "message": "b"}',
    "lone surrogate": b'{"message": "\\ud800"}',
    "surrogate pair": b'{"message": "\\ud83d\\ude00"}',
    "surrogate name": b'{"message": "a", "\\udfff": "b"}',
    "bad utf-8": b'{"message": "\xff\xfe\xfa"}',
    "bad utf-8 name": b'{"\xff": 1, "message": "a"}',
    "utf-16": '{"message": "a"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"message": "a"}',
    "latin-1 text": "Größe überschritten".encode("latin-1"),
    "binary": bytes(range(256)) * 8,
    "zeros": bytes(4096),
    "gzip unnamed": gzip.compress(GOOD.encode()),
    "nan": b'{"message": "a", "timestamp": NaN}',
    "nan text": b'{"message": "a", "timestamp": "NaN"}',
    "infinity": b'{"message": "a", "value": Infinity}',
    "minus infinity": b'{"message": "a", "timestamp": -Infinity}',
    "1e999": b'{"message": "a", "timestamp": 1e999}',
    "1e999 field": b'{"message": "a", "value": 1e999}',
    "-1e308": b'{"message": "a", "timestamp": -1e308}',
    "1e18": b'{"message": "a", "timestamp": 1e18}',
    "5000 digits": b'{"message": "a", "timestamp": ' + b"9" * 5000 + b"}",
    "5000 digits field": b'{"message": "a", "value": ' + b"9" * 5000 + b"}",
    "5000 digits text": b'{"message": "took ' + b"9" * 5000 + b' ms"}',
    "64-bit overflow": b'{"message": "a", "timestamp": 18446744073709551616}',
    "negative time": b'{"message": "a", "timestamp": -99999999999999}',
    "time zero": b'{"message": "a", "timestamp": 0}',
    "time object": b'{"message": "a", "timestamp": {}}',
    "time bool": b'{"message": "a", "timestamp": true}',
    "time unreadable": b'{"message": "a", "timestamp": "the day before yesterday"}',
    "time year 0": b'{"message": "a", "timestamp": "0000-00-00T00:00:00Z"}',
    "time year 9999": b'{"message": "a", "timestamp": "9999-12-31T23:59:60Z"}',
    "time month 13": b'{"message": "a", "timestamp": "2026-13-45T99:99:99Z"}',
    "level number": b'{"message": "a", "level": 3}',
    "level huge": b'{"message": "a", "level": 1e999}',
    "level list": b'{"message": "a", "level": ["info"]}',
    "level unknown": b'{"message": "a", "level": "catastrophic"}',
    "source number": b'{"message": "a", "source": 7}',
    "source object": b'{"message": "a", "source": {"a": {"b": [1]}}}',
    "source path": b'{"message": "a", "source": "../../etc/passwd\\n{\\"delete\\": 1}"}',
    "host list": b'{"message": "a", "host": []}',
    "deep array": b"[" * 50_000 + b"]" * 50_000,
    "deep object": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "deep field": b'{"message": "a", "b": ' + b"[" * 900 + b"]" * 900 + b"}",
    "many fields": json.dumps({"message": "a", **{f"field{n}": n for n in range(5_000)}}).encode(),
    "many names alike": b'{"message": "a", ' + b", ".join(b'"x": %d' % n for n in range(5_000)) + b"}",
    "reserved names": b'{"message": "a", "event_id": 1, "sequence": "x", "spool": [], "partition": "../x", "_id": {}}',
    "dunder": b'{"message": "a", "__class__": {"__init__": 1}, "": 2}',
    "long message": b'{"message": "' + b"a" * (2 * MIB) + b'"}',
    "long line": b"a" * (2 * MIB),
    "long name": b'{"message": "a", "' + b"n" * 100_000 + b'": 1}',
    "percent": b'{"message": "%s %d {} {0} ${jndi:ldap://x} $(reboot)"}',
    "markup": b'<script>alert(1)</script>\n<?xml version="1.0"?>',
    "ndjson mixed": f'{GOOD}\n{{"message": 5}}\nnot json\n\n{GOOD}\n'.encode(),
    "ndjson crlf": f"{GOOD}\r\n{GOOD}\r\n".encode(),
    "array mixed": f'[{GOOD}, 7, {{}}, {GOOD}, {{"message": " ", "timestamp": []}}]'.encode(),
    "form": b"message=hello&level=info",
}
TYPES = {
    "none": None,
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "text": "text/plain; charset=utf-8",
    "curl": "application/x-www-form-urlencoded",
    "odd": "application/json;;; charset=\x01; =",
    "foreign": "image/png",
}
CASES = [(name, kind) for position, name in enumerate(BODIES) for kind in [*TYPES][: 3 + position % 5]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("bad-input")) as running:
        training = [{"message": f"user {n} logged in from 10.0.0.{n}", "source": "app"} for n in range(20)]
        assert running.client.post("/train", json=training).status_code == 200
        yield running


def post(server: Server, path: str, body: bytes, content_type: str | None) -> httpx.Response:
    headers = {"Content-Type": content_type.encode("latin-1")} if content_type else {}
    return server.client.post(path, content=body, headers=headers)


def check(answer: httpx.Response) -> None:
    """A 2xx or 4xx; an error is a problem with a sentence."""
    assert 200 <= answer.status_code < 500, answer.text[:500]
    if answer.status_code >= 400:
        problem = answer.json()
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["status"] == answer.status_code
        assert len(problem["detail"]) > 20
        assert all(rejected["reason"] for rejected in problem.get("rejected", []))


@pytest.mark.parametrize("path", ["/logs", "/predict", "/logs?score=true", "/predict?observe=true"])
def test_bad_bodies_are_answered_with_what_is_wrong(server: Server, path: str) -> None:
    """No body, under no content type, makes the server fail; after all of them it still works."""
    for name, kind in CASES:
        if path in {"/logs", "/predict"} or kind == "none":
            check(post(server, path, BODIES[name], TYPES[kind]))

    assert server.client.post("/logs", content=GOOD).status_code == 202
    assert server.client.post("/predict", content=GOOD).status_code == 200


@pytest.mark.parametrize(
    "name", ["null", "number", "empty array", "array of nothing", "no message", "open array", "zeros"]
)
def test_bad_bodies_train_nothing(server: Server, name: str) -> None:
    """What holds no log is refused before a process is started; the model in service stays."""
    before = server.client.get("/models").json()

    answer = post(server, "/train", BODIES[name], "application/json")

    check(answer)
    assert answer.status_code in {400, 422}
    assert server.client.get("/models").json() == before


def test_good_logs_are_kept_when_their_neighbours_are_bad(server: Server) -> None:
    """One bad log is rejected alone, by its position; the books say so."""
    before = server.client.get("/status").json()["ledger"]

    answer = post(server, "/logs", BODIES["array mixed"], "application/json")

    assert answer.status_code == 202
    assert answer.json()["accepted"] == 2
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1, 2, 4]
    after = server.client.get("/status").json()["ledger"]
    assert after["accepted"] - before["accepted"] == 2
    assert after["rejected"] - before["rejected"] == 3
    assert after["received"] == after["accepted"] + after["rejected"]


def test_predict_judges_none_when_one_of_them_is_bad(server: Server) -> None:
    """A sequence is judged whole or not at all; the answer names the bad ones."""
    answer = post(server, "/predict", BODIES["array mixed"], "application/json")

    assert answer.status_code == 422
    assert [rejected["index"] for rejected in answer.json()["rejected"]] == [1, 2, 4]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/logs/", 404),
        ("GET", "/logs", 405),
        ("PUT", "/logs", 405),
        ("DELETE", "/models", 405),
        ("POST", "/models/%2e%2e%2fchampion.json/promote", 404),
        ("POST", "/models/..%00/promote", 404),
        ("POST", "/models/20200101T000000-abcdef/promote", 404),
        ("POST", "/models/\u00e9\u20ac/promote", 404),
        ("GET", "/anomalies?limit=0", 422),
        ("GET", "/anomalies?limit=1e3", 422),
        ("GET", "/anomalies?limit=-1", 422),
        ("GET", "/anomalies?limit=" + "9" * 5000, 422),
        ("GET", "/anomalies?limit=\u0663", 422),
        ("GET", "/anomalies?since=yesterday", 422),
        ("GET", "/anomalies?since=0001-01-01T00:00:00%2B23:59", 200),
        ("GET", "/anomalies?limit=&since=", 200),
        ("GET", "/anomalies?since=2026-01-01T00:00:00Z&limit=5", 200),
        ("GET", "/anomalies?since=2026-01-01T00:00:00+02:00", 200),
        ("POST", "/logs?score=perhaps", 422),
        ("POST", "/predict?observe=2", 422),
    ],
)
def test_odd_addresses_are_answered_with_what_is_wrong(server: Server, method: str, path: str, status: int) -> None:
    """Addresses, methods and parameters have their problems, too."""
    answer = server.client.request(method, path, content=GOOD if method == "POST" else None)

    assert answer.status_code == status
    check(answer)


def test_own_log_holds_nothing_of_the_bodies(server: Server) -> None:
    """What clients send does not reach our own log, and nothing failed unseen."""
    said = "".join(server.said)

    assert "Traceback" not in said
    assert "logged in" not in said
    assert "script" not in said


def test_home_stays_inside_when_names_are_paths(server: Server) -> None:
    """A source named like a path makes no file."""
    assert not list(Path("/etc").glob("passwd\n*"))
    home = Path(server.process.args[0]).parent  # type: ignore[index, arg-type]  # the interpreter's folder
    assert not (home / "passwd").exists()
