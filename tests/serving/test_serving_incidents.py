"""Incidents over HTTP: found, narrowed, looked at, changed; and the page on top of them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.serving.server_process import Server, eventually, orders_until, serving

NOW = datetime.now(UTC).replace(microsecond=0)
USUAL = orders_until(NOW)
GUESSES = [
    {
        "timestamp": (NOW - timedelta(seconds=60) + timedelta(seconds=n / 5)).isoformat(),
        "message": f"Failed password for {('root', 'admin')[n % 2]} from 203.0.113.9 port {40_000 + n} ssh2",
        "source": "sshd",
        "host": "web-1",
    }
    for n in range(120)
]
EVIL = "<script>alert(1)</script> \x1b[31mred \u202eevil"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has learnt, and was then attacked."""
    with serving(tmp_path_factory.mktemp("attacked") / "home") as server:
        server.client.timeout = 300
        assert server.client.post("/train", json=USUAL).json()["promoted"]
        server.client.post("/logs", json=[*USUAL[-50:], *GUESSES])
        server.client.post("/logs", json=[{"level": "fatal", "source": "billing", "message": f"ledger corrupt {EVIL}"}])
        for source in ("sshd", "billing"):
            eventually(lambda wanted=source: server.client.get("/incidents", params={"source": wanted}).json())
        yield server


def attack(server: Server) -> dict[str, object]:
    (found,) = server.client.get("/incidents", params={"kind": "brute_force"}).json()
    return found


def test_one_attack_is_one_incident(attacked: Server) -> None:
    """120 guesses are one incident with who, where and why; every anomaly names it."""
    found = attack(attacked)
    named = attacked.client.get("/anomalies", params={"actor": "203.0.113.9", "limit": 1000}).json()

    assert found["actors"] == ["203.0.113.9"]
    assert found["severity"] == "critical"
    assert "failed log-ins from 203.0.113.9 against sshd on web-1" in found["title"]
    assert len(found["sample"]) == 5
    assert {row["incident"] for row in named} == {found["id"]}
    assert len(named) == found["lines"]


def test_incident_in_detail_has_what_stood_around_it(attacked: Server) -> None:
    """Its events, the lines about them from the store, its rate, and the unknown is 404."""
    key = attack(attacked)["id"]
    eventually(lambda: attacked.client.get(f"/incidents/{key}").json()["around"])

    found = attacked.client.get(f"/incidents/{key}").json()

    assert all("203.0.113.9" in event["message"] for event in found["events"])
    assert sum(row["lines"] for row in found["rate"]) >= 100
    assert set(found["rate"][0]) == {"time", "lines", "usual"}
    assert isinstance(found["related"], list)
    assert attacked.client.get("/incidents/nobody").status_code == 404
    assert attacked.client.post("/incidents/nobody", json={"state": "open"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/incidents?what=1", 400),
        ("/anomalies?what=1", 400),
        ("/templates?what=1", 400),
        ("/sources?limit=1&limit=2", 400),
        ("/incidents?severity=dire", 422),
        ("/incidents?since=yesterday", 422),
        ("/incidents?limit=0", 422),
        ("/anomalies?sort=up", 422),
        ("/feedback?sort=last", 400),
        ("/incidents?since=1h&until=2020-01-01&sort=severity&state=open&limit=3&after=none", 200),
    ],
)
def test_parameters_are_known_or_refused(attacked: Server, path: str, status: int) -> None:
    """Another name is a 400 that says which there are, another form a 422."""
    answer = attacked.client.get(path)

    assert answer.status_code == status
    if status == 400:
        assert any(told in answer.text for told in ("known are", "takes none", "more than once"))


def test_filters_narrow_and_pages_follow(attacked: Server) -> None:
    """Each filter leaves out what does not fit; `after` goes on where a page ended."""
    ids = [row["id"] for row in attacked.client.get("/incidents").json()]
    ask = lambda **params: [row["id"] for row in attacked.client.get("/incidents", params=params).json()]  # noqa: E731

    assert ask(source="sshd") == ask(kind="brute_force") == ask(actor="203.0.113.9")
    assert ask(since="1s", until="2020-01-01") == []
    assert ask(limit=1) + ask(limit=1, after=ids[0]) == ids[:2]
    assert ask(sort="lines")[0] == attack(attacked)["id"]


def test_state_is_changed_and_taken_back(attacked: Server) -> None:
    """Acknowledged, then open again; what is no state is refused."""
    key = attack(attacked)["id"]

    done = attacked.client.post(f"/incidents/{key}", json={"state": "acknowledged"}).json()
    listed = [row["id"] for row in attacked.client.get("/incidents", params={"state": "acknowledged"}).json()]
    back = attacked.client.post(f"/incidents/{key}", json={"state": "open"}).json()
    wrong = [
        attacked.client.post(f"/incidents/{key}", content=body).status_code for body in ("[]", "{", '{"state": 1}')
    ]

    assert (done["state"], listed, back["state"]) == ("acknowledged", [key], "open")
    assert back["version"] == done["version"] + 1
    assert wrong == [400, 400, 400]


def test_stream_tells_of_a_change(attacked: Server) -> None:
    """Who listens hears of each change, as an event with the incident."""
    key = attack(attacked)["id"]
    with attacked.client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        assert next(lines) == ": hello"
        attacked.client.post(f"/incidents/{key}", json={"state": "acknowledged"})
        heard = [next(line for line in lines if line.startswith(start)) for start in ("event: ", "data: ")]

    attacked.client.post(f"/incidents/{key}", json={"state": "open"})
    assert heard[0] == "event: incident"
    assert json.loads(heard[1][6:])["id"] == key


def test_templates_and_sources_are_what_was_met(attacked: Server) -> None:
    """Patterns with their counts and hours, the newest first; sources with their last line."""
    templates = attacked.client.get("/templates").json()
    sources = {row["source"]: row for row in attacked.client.get("/sources").json()}

    assert templates[0]["template"].startswith("ledger corrupt")
    assert sum(row["share"] for row in templates) == pytest.approx(1.0)
    assert sources["sshd"]["count"] == sum(sources["sshd"]["trend"]) == 120
    assert {"usual_gap_s", "quiet_s", "is_quiet"} == set(sources["orders"]["heartbeat"])


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/page/explore",
        "/page/explore?view=patterns&text=order",
        "/page/explore?view=sources",
        "/page/explore?view=incidents",
        "/page/model",
        "/page/health",
        "/page/explore?min_score=0.5",
    ],
)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_screens_show_and_evil_lines_stay_text(attacked: Server, path: str, language: str) -> None:
    """Every screen in both languages, under a strict policy; no line of a log acts in it."""
    answer = attacked.client.get(path, headers={**HTML, "Accept-Language": language})

    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    assert "<script>alert" not in answer.text
    assert "\x1b" not in answer.text
    assert "\u202e" not in answer.text
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert " style=" not in answer.text


def test_health_tells_findings_and_settings_in_the_readers_language(attacked: Server) -> None:
    """No finding that the English screen shows, and no setting's meaning, is English on the Portuguese one."""
    english, portuguese = (
        attacked.client.get("/page/health", headers={**HTML, "Accept-Language": language}).text
        for language in ("en", "pt")
    )

    assert "no batch of the spool is damaged" in english
    assert "nenhum lote do spool está danificado" in portuguese
    assert "password of that user" in english
    assert "senha desse usuário" in portuguese
    assert ">delivering<" in english
    assert ">entregando<" in portuguese
    assert ">delivering<" not in portuguese
    assert "no batch of the spool" not in portuguese
    assert "password of that user" not in portuguese


def test_person_at_a_wrong_address_gets_a_page_a_program_a_problem(attacked: Server) -> None:
    """In the reader's language, with the way back; the status stays what it is."""
    page = attacked.client.get("/nowhere", headers={**HTML, "Accept-Language": "pt"})
    program = attacked.client.get("/nowhere")
    part = attacked.client.get("/page/part/timeline?since=2026-11-02&until=2026-11-01", headers=HTML)

    assert (page.status_code, program.status_code, part.status_code) == (404, 404, 400)
    assert "Não há nada aqui" in page.text
    assert "Este endereço não existe aqui" in page.text
    assert 'href="/"' in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert program.json()["status"] == 404
    assert "The span ends before it begins." in part.text


def test_what_the_api_refuses_is_told_in_the_readers_language(attacked: Server) -> None:
    """The page asks how a refusal is said; what nobody translated stays as it is, and acts on no screen."""

    def told(said: str) -> str:
        headers = {"Accept-Language": "pt"}
        return attacked.client.get("/page/part/told", params={"said": said}, headers=headers).text

    assert told("set the threshold: nats is a number from 1 to 500") == "mudar o limite: nats é um número de 1 a 500"
    assert told("<b>\x1b[31m") == "<b>\\x1b[31m"


def test_page_says_first_what_is_worst(attacked: Server) -> None:
    """The attack is the headline; the failure stands in the list; programs get JSON."""
    page = attacked.client.get("/", headers=HTML).text

    assert "failed log-ins from 203.0.113.9" in page.partition("<h1>")[2].partition("</h1>")[0]
    assert "&lt;script&gt;alert(" in page
    assert attacked.client.get("/").json()["name"] == "Log Sentinel"
    link = attacked.client.get(f"/incidents/{attack(attacked)['id']}", headers=HTML)
    assert (link.status_code, link.headers["location"]) == (303, f"/?incident={attack(attacked)['id']}")


def test_static_files_are_ours_alone(attacked: Server) -> None:
    """What the page needs is served; nothing else is, whatever the path says."""
    good = [attacked.client.get(f"/page/static/{name}").status_code for name in ("page.js", "vendor/htmx.min.js")]
    bad = [attacked.client.get(f"/page/static/{name}").status_code for name in ("../render.py", "%2e%2e/now.py", "x")]

    assert good == [200, 200]
    assert set(bad) == {404}


def test_dead_letters_are_replayed_by_reason(attacked: Server) -> None:
    """What is no order for a replay is refused; a reason without letters replays nothing."""
    wrong = attacked.client.post("/page/letters/replay", json={"stream": 1})
    none = attacked.client.post("/page/letters/replay", json={"stream": "events", "reason": "no such"})

    assert wrong.status_code == 422
    assert none.json() == {"replayed": 0}


def test_incidents_outlive_a_kill(tmp_path: Path) -> None:
    """After kill -9 the incident is there with its state, and is not there twice."""
    home = tmp_path / "home"
    with serving(home) as first:
        first.client.timeout = 300
        first.client.post("/train", json=USUAL)
        first.client.post("/logs", json=GUESSES[:60])
        eventually(lambda: first.client.get("/incidents", params={"kind": "brute_force"}).json())
        key = attack(first)["id"]
        first.client.post(f"/incidents/{key}", json={"state": "acknowledged"})
        first.kill()

    with serving(home) as second:
        second.client.post("/logs", json=GUESSES[60:])
        eventually(lambda: attack(second)["lines"] > 80)
        assert (attack(second)["id"], attack(second)["state"]) == (key, "acknowledged")


def test_key_is_asked_for_once(tmp_path: Path) -> None:
    """Without cookie or key a person gets the form, a program 401; the cookie shows the page, its token may change."""
    with serving(tmp_path / "home", LOG_SENTINEL_KEY="the key") as server:
        client = server.client
        form = client.get("/", headers=HTML)
        refused = [
            client.get("/").status_code,
            client.get("/page/model").status_code,
            client.post("/models/x/pin").status_code,
        ]
        wrong = client.post("/login", data={"key": "no"})
        right = client.post("/login", data={"key": "the key", "next": "//evil"})
        page = client.get("/", headers=HTML).text
        token = page.partition('name="csrf" content="')[2].partition('"')[0]
        without = client.post("/incidents/x", json={"state": "open"})
        forged = client.post("/incidents/x", json={"state": "open"}, headers={"X-CSRF-Token": "0" * 64})
        with_token = client.post("/incidents/x", json={"state": "open"}, headers={"X-CSRF-Token": token})
        client.cookies.clear()
        by_key = client.post("/incidents/x", json={"state": "open"}, headers={"X-API-Key": "the key"})

    assert (form.status_code, 'type="password"' in form.text) == (200, True)
    assert refused == [401, 401, 401]
    assert (wrong.status_code, right.status_code, right.headers["location"]) == (401, 303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(right.headers["set-cookie"].split("; "))
    assert [answer.status_code for answer in (without, forged, with_token, by_key)] == [403, 403, 404, 404]


LOST = {"source": "orders", "kind": "new_template"}


def test_incident_is_held_against_what_is_normal(attacked: Server) -> None:
    """The line that names it with its odd part, the nearest normal line and when that was seen; each anomaly too."""
    attacked.client.post("/logs", json=[{"level": "error", "source": "orders", "message": "order 7 lost in 3 ms"}])
    eventually(lambda: attacked.client.get("/incidents", params=LOST).json())
    (found,) = attacked.client.get("/incidents", params=LOST).json()
    (anomaly,) = attacked.client.get("/anomalies", params=LOST).json()

    told = attacked.client.get(f"/incidents/{found['id']}").json()["explanation"]

    assert told == found["explanation"] == anomaly["explanation"]
    assert told["line"] == "order 7 lost in 3 ms"
    assert told["line_odd"] == told["template_odd"] == ["lost"]
    assert told["nearest"]["template"] == "order <NUM> stored in <NUM> ms"
    assert told["nearest"]["line"] in {row["message"] for row in USUAL}
    assert told["nearest"]["last_seen"]
    assert told["normal"]
    assert len(found["reasons"]) <= 3
    guess = attack(attacked)["explanation"]
    assert guess["line_odd"][0] == "203.0.113.9"
    assert guess["normal"][0].startswith("at most ")
