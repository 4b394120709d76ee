"""One word back, and how loud: both act on the next verdict, are undone, and outlive the process."""

from pathlib import Path

import httpx

from tests.serving.server_process import Server, eventually, serving

NORMAL = [
    {"message": text, "source": source, "host": "web-1", "timestamp": f"2026-11-20T{h:02}:{m:02}:00Z"}
    for h in range(20)
    for m in range(0, 60, 5)
    for source, text in (
        ("sshd", f"Accepted publickey for deploy from 10.0.0.{m % 4} port 5{h:02}{m:02} ssh2"),
        ("cron", f"(root) CMD (run-parts /etc/cron.hourly {h})"),
        ("app", f"GET /orders/{h * m} answered 200 in {m} ms"),
    )
]


def guesses(address: str, minute: int) -> list[dict[str, str]]:
    return [
        {
            "message": f"Failed password for root from {address} port {4000 + i} ssh2",
            "source": "sshd",
            "host": "web-1",
            "timestamp": f"2026-11-21T10:{minute:02}:{i:02}Z",
        }
        for i in range(40)
    ]


def alarms(server: Server, logs: list[dict[str, str]]) -> int:
    answer = server.client.post("/predict", json=logs)
    assert answer.status_code == 200, answer.text
    return sum(verdict["is_anomaly"] for verdict in answer.json())


def attacked(server: Server) -> str:
    """Normal days learnt, an attack seen; the incident's id."""
    assert server.client.post("/train", json=NORMAL).status_code == 200
    assert server.client.post("/logs", json=[*NORMAL[-60:], *guesses("203.0.113.9", 0)]).status_code == 202
    eventually(lambda: server.client.get("/incidents?kind=brute_force").json())
    found: str = server.client.get("/incidents?kind=brute_force").json()[0]["id"]
    return found


def test_a_false_alarm_alarms_no_more_until_it_is_undone(tmp_path: Path) -> None:
    """At once, for its actor alone, over a restart and a retrain; undone, it alarms again."""
    home = tmp_path / "home"
    with serving(home) as first:
        incident = attacked(first)
        assert alarms(first, guesses("203.0.113.9", 5)) > 20
        said = first.client.post(
            "/feedback", json={"incident": incident, "verdict": "false_alarm", "until": "7d", "note": "a drill"}
        )
        assert (said.status_code, said.json()["scope"]) == (201, "actor"), said.text
        assert alarms(first, guesses("203.0.113.9", 5)) == 0
        assert alarms(first, guesses("203.0.113.10", 5)) > 20
        assert first.client.get(f"/incidents/{incident}").json()["state"] == "muted"
        first.kill()

    with serving(home) as second:
        eventually(lambda: second.client.get("/status").json()["model"])
        assert second.client.post("/train", json=NORMAL).status_code == 200
        assert alarms(second, guesses("203.0.113.9", 5)) == 0
        (kept,) = second.client.get("/feedback").json()
        gone = second.client.delete(f"/feedback/{kept['id']}")
        twice = second.client.delete(f"/feedback/{kept['id']}")

        assert (kept["id"], kept["note"], kept["by"]) == (said.json()["id"], "a drill", "http")
        assert (gone.status_code, gone.content, twice.status_code) == (204, b"", 404)
        assert alarms(second, guesses("203.0.113.9", 5)) > 20
        assert second.client.get(f"/incidents/{incident}").json()["state"] in ("open", "resolved")


def test_the_threshold_acts_at_once_and_outlives_the_process(tmp_path: Path) -> None:
    """Set by nats or by a budget, for all or for a source; a kept value wins over the setting."""
    home, logs = tmp_path / "home", guesses("203.0.113.9", 5)
    with serving(home, LOG_SENTINEL_THRESHOLD_NATS="8") as first:
        attacked(first)
        before = first.client.get("/threshold").json()
        many = alarms(first, logs)
        quiet = first.client.put("/threshold", json={"nats": 150})
        assert (quiet.status_code, alarms(first, logs)) == (200, 0)
        assert first.client.put("/threshold", json={"nats": 8, "source": "sshd"}).status_code == 200
        assert alarms(first, logs) == many > 20
        preview = first.client.get("/threshold/preview?nats=8").json()
        first.kill()

    with serving(home, LOG_SENTINEL_THRESHOLD_NATS="8") as second:
        kept = second.client.get("/threshold").json()
        budget = second.client.put("/threshold", json={"alerts_per_day": 5}).json()
        second.client.delete("/threshold?source=sshd")
        back = second.client.delete("/threshold").json()

    assert (before["nats"], before["sources"], before["alerts_per_day"]) == (8.0, {}, None)
    assert (kept["nats"], kept["sources"]["sshd"]["nats"]) == (150.0, 8.0)
    assert budget["alerts_per_day"] == 5
    assert (back["nats"], back["sources"]) == (8.0, {})
    assert set(preview) == {"nats", "anomaly_score", "per_day", "incidents"}


def test_what_cannot_be_said_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """Each wrong body gets a 4xx of its own; nothing is kept of it."""
    with serving(tmp_path / "home") as running:

        def post(body: object) -> httpx.Response:
            return running.client.post("/feedback", json=body)

        def put(body: object) -> httpx.Response:
            return running.client.put("/threshold", json=body)

        refused = [
            post({"incident": "0123456789abcdef", "verdict": "false_alarm"}),
            post({"incident": "a", "anomaly": "b", "verdict": "real"}),
            post({"incident": "a", "verdict": "maybe"}),
            post({"incident": "a", "verdict": "real", "scope": "host"}),
            post({"incident": "a", "verdict": "real", "until": "soon"}),
            post({"incident": "a", "verdict": "real", "until": "2020-01-01T00:00:00Z"}),
            post({"incident": "a", "verdict": "real", "why": "x"}),
            post([]),
            put({}),
            put({"nats": 8, "alerts_per_day": 5}),
            put({"nats": "8"}),
            put({"nats": -1}),
            put({"alerts_per_day": 0}),
            put({"loud": 1}),
            running.client.get("/threshold/preview"),
            running.client.get("/threshold/preview?nats=NaN"),
            running.client.get("/threshold?nats=8"),
        ]
        kept = running.client.get("/feedback").json(), running.client.get("/threshold").json()["is_set"]

    expected = [404, 422, 422, 422, 422, 422, 400, 400, 422, 422, 422, 422, 422, 400, 422, 422, 400]
    assert [answer.status_code for answer in refused] == expected
    assert kept == ([], False)
