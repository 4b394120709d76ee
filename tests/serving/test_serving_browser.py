"""The page as a person sees it: in a real Chromium, with a real server behind it."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import polars as pl
import pytest

from sentinel.records import RECORD_SCHEMA
from sentinel.spool import Spool
from tests.conftest import do_without
from tests.serving.server_process import Server, eventually, orders_until, serving

playwright = pytest.importorskip("playwright.sync_api")

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NOW = datetime.now(UTC)
USUAL = orders_until(NOW)
EVIL = "<script>document.title='owned'</script><img src=x onerror=alert(1)> \x1b[31m \u202egnp.exe"
WAIT_MS = 60_000  # generous: how quick it is, a benchmark says


def guesses(address: str, count: int = 80) -> list[dict[str, str]]:
    start = datetime.now(UTC) - timedelta(seconds=count / 5)
    return [
        {
            "timestamp": (start + timedelta(seconds=n / 5)).isoformat(),
            "message": f"Failed password for root from {address} port {40_000 + n} ssh2",
            "source": "sshd",
            "host": "web-1",
        }
        for n in range(count)
    ]


def bury(home: Path) -> None:
    """A dead letter from before: a record that a store refused for good."""
    row = {"event_id": "buried0000000000000001", "partition": "2026.11", "timestamp": NOW, "received": NOW}
    record = {**row, "source": "orders", "message": "order 4711 stored in 1 ms"}
    frame = pl.DataFrame([{name: record.get(name) for name in RECORD_SCHEMA}], schema=RECORD_SCHEMA)
    with Spool.open(home / "spool", min_free_bytes=0) as spool:
        with spool.transaction() as tx:
            tx.append(frame)
        with spool.lease("deliver") as lease, spool.transaction() as tx:
            assert lease is not None
            tx.move(lease, 1, dead={1: "mapping conflict of before"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that has learnt what is usual, and saw one evil failure."""
    home = tmp_path_factory.mktemp("page") / "home"
    bury(home)
    with serving(home) as running:
        running.client.timeout = 300
        assert running.client.post("/train", json=USUAL).json()["promoted"]
        running.client.post("/logs", json=USUAL[-100:])
        running.client.post(
            "/logs", json=[{"level": "fatal", "source": "billing", "message": f"ledger corrupt {EVIL}"}]
        )
        eventually(lambda: running.client.get("/incidents").json())
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """Debian's Chromium, or another one that is installed; skipped by name where there is none."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        do_without("chromium", "none of " + ", ".join(BROWSERS) + " is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=found, args=list(FLAGS))
        yield chromium
        chromium.close()


def keep_picture(page: object, name: str) -> None:
    """The screen as a picture for the documents, where LOG_SENTINEL_PICTURES names a folder for it."""
    if folder := os.environ.get("LOG_SENTINEL_PICTURES"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


class Visit:
    """One window on one server: what it asked for, and what went wrong in it."""

    def __init__(self, browser: object, server: Server, **options: object) -> None:
        self.url = server.urls[0]
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page = self.context.new_page()
        self.page.set_default_timeout(WAIT_MS)
        self.asked: list[str] = []
        self.wrong: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda said: self.wrong.append(said.text) if said.type == "error" else None)
        self.page.on("dialog", lambda dialog: self.wrong.append(f"dialog {dialog.message}"))

    def go(self, path: str = "/") -> "Visit":
        self.page.goto(self.url + path)
        return self

    def end(self) -> None:
        """Nothing left the origin and nothing went wrong."""
        hosts = {urlsplit(url).netloc for url in self.asked if not url.startswith("data:")}
        self.context.close()
        assert hosts <= {urlsplit(self.url).netloc}
        assert self.wrong == []


@pytest.fixture
def visit(browser: object, server: Server) -> Iterator[Visit]:
    made = Visit(browser, server)
    yield made
    made.end()


def test_person_logs_in_and_out(browser: object, tmp_path: Path) -> None:
    """The form refuses a wrong key, lets the right one in, to where the person wanted to go, and Log out ends it."""
    with serving(tmp_path / "home", LOG_SENTINEL_KEY="the key of the house") as locked:
        visit = Visit(browser, locked)
        page = visit.go("/page/health").page

        page.get_by_label("Key").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.get_by_text("This is not the key.").wait_for()
        page.get_by_label("Key").fill("the key of the house")
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("heading", name="Findings").wait_for()
        page.get_by_role("button", name="Log out").click()
        page.get_by_label("Key").wait_for()

        visit.wrong.clear()  # the browser's console tells of the 401, too
        visit.end()


def test_attack_appears_by_itself_and_is_explained(visit: Visit, server: Server) -> None:
    """Nobody reloads: the incident comes, is opened, says why, who and which lines; the odd part is marked."""
    page = visit.go().page
    page.get_by_role("heading", name="Incidents").wait_for()

    server.client.post("/logs", json=guesses("203.0.113.7"))
    link = page.get_by_role("link", name="203.0.113.7").first
    link.wait_for()
    link.click()

    detail = page.locator("#detail")
    detail.get_by_text("failed log-ins from 203.0.113.7").first.wait_for()
    assert detail.locator(".why li").count() >= 1
    assert detail.locator("pre mark").first.inner_text() == "203.0.113.7"
    assert "incident=" in page.url
    keep_picture(page, "now")


def test_acknowledged_with_one_click_and_undone_with_another(visit: Visit, server: Server) -> None:
    """One click acknowledges; Undo opens it again; both are on the server."""
    page = visit.go().page
    key = page.locator("li.inc a").first.get_attribute("data-incident")

    page.get_by_role("button", name="Acknowledge", exact=True).click()
    page.get_by_role("button", name="Undo").wait_for()
    eventually(lambda: server.client.get(f"/incidents/{key}").json()["state"] == "acknowledged")
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: server.client.get(f"/incidents/{key}").json()["state"] == "open")


def test_false_alarm_is_said_and_taken_back(visit: Visit, server: Server) -> None:
    """One click says it, the server knows, one click takes it back."""
    page = visit.go().page
    page.locator("#detail button").first.wait_for()

    page.get_by_role("button", name="False alarm").click()
    page.get_by_role("button", name="Undo").wait_for()
    eventually(lambda: len(server.client.get("/feedback").json()) == 1)
    page.get_by_role("button", name="Undo").click()
    eventually(lambda: server.client.get("/feedback").json() == [])


def test_threshold_is_tried_set_and_reset(visit: Visit, server: Server) -> None:
    """The slider shows what the last days would have shown; applied it holds at once, reset the setting does."""
    before = server.client.get("/threshold").json()["nats"]
    page = visit.go("/page/model").page
    page.locator("#preview").get_by_text("the last seven days").wait_for()

    page.locator("#alerts-per-day").fill("1")
    page.get_by_role("button", name="Apply").click()
    eventually(lambda: server.client.get("/threshold").json()["alerts_per_day"] == 1)
    page.get_by_role("button", name="Back to the setting").click()
    eventually(lambda: server.client.get("/threshold").json()["nats"] == before)


def test_states_narrow_the_list(visit: Visit, server: Server) -> None:
    """The list shows what was chosen, and says so where that is nothing."""
    page = visit.go().page

    page.get_by_role("button", name="Muted").click()

    page.get_by_text("No incident in this view.").wait_for()
    page.locator("#states").get_by_role("button", name="All").click()
    page.locator("li.inc").first.wait_for()


def test_timeline_is_brushed_and_unzoomed(visit: Visit) -> None:
    """A drag chooses a span, which narrows the list and can be left again."""
    page = visit.go().page
    over = page.locator("#chart .u-over")
    over.wait_for()
    box = over.bounding_box()

    page.mouse.move(box["x"] + box["width"] * 0.1, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40, steps=5)
    page.mouse.up()

    page.get_by_role("button", name="Whole span").wait_for()
    page.get_by_text("No incident in this view.").wait_for()
    page.get_by_role("button", name="Whole span").click()
    page.locator("li.inc").first.wait_for()


def test_lines_are_searched(visit: Visit) -> None:
    """From the head of any screen to the lines that hold the words."""
    page = visit.go().page

    page.keyboard.press("/")
    page.keyboard.type("order 17")
    page.keyboard.press("Enter")

    page.locator("td.line mark").first.wait_for()
    assert "order 17" in page.locator("td.line").first.inner_text()


def test_keyboard_alone_is_enough(visit: Visit) -> None:
    """j and k walk the incidents, Tab reaches the actions, Enter acts."""
    page = visit.go().page
    page.locator("li.inc").first.wait_for()

    page.keyboard.press("j")
    chosen = page.evaluate("document.activeElement.dataset.incident")
    page.locator(f"li.inc[aria-current] a[data-incident='{chosen}']").wait_for()
    page.locator("#detail button").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")


@pytest.mark.parametrize("path", ["/", "/page/explore", "/page/model", "/page/health"])
def test_evil_lines_stay_text_on_a_phone(browser: object, server: Server, path: str) -> None:
    """No script of a log runs, nothing is wider than the screen."""
    visit = Visit(browser, server, viewport={"width": 390, "height": 844})
    page = visit.go(path).page
    page.wait_for_load_state("load")

    assert page.title() != "owned"
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.locator("img[src=x]").count() == 0
    visit.end()


@pytest.mark.parametrize("language", ["en-GB", "pt-BR"])
def test_lines_are_read_on_a_small_phone_without_scrolling_aside(
    browser: object, server: Server, language: str
) -> None:
    """At 360 px the message of each line, and each column of patterns and sources, lies within the screen."""
    visit = Visit(browser, server, viewport={"width": 360, "height": 800}, locale=language)

    for view in ("lines", "patterns", "sources"):
        page = visit.go(f"/page/explore?view={view}").page
        page.locator("tbody tr").first.wait_for()
        widest = page.evaluate(
            "Math.max(...[...document.querySelectorAll('tbody td')].map(e => e.getBoundingClientRect().right))"
        )
        assert widest <= 360
    visit.end()


def test_refusal_is_told_in_portuguese(browser: object, server: Server) -> None:
    """What a click cannot do is said in the language of the page."""
    visit = Visit(browser, server, locale="pt-BR")
    page = visit.go("/page/model").page
    page.locator("#preview p").first.wait_for()
    page.evaluate("document.querySelector('form[data-api]').dataset.body = JSON.stringify({nats: 8})")

    page.get_by_role("button", name="Aplicar").click()

    page.locator(".toast", has_text="mudar o limite: dê um só, nats ou alerts_per_day").wait_for()
    visit.wrong.clear()  # the browser's console tells of the refusal, too
    visit.end()


@pytest.mark.parametrize("path", ["/", "/page/explore", "/page/explore?view=patterns", "/page/model", "/page/health"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: object, server: Server, path: str, scheme: str) -> None:
    """Contrast, names, roles, targets: nothing serious or critical in either scheme."""
    visit = Visit(browser, server, color_scheme=scheme, bypass_csp=True)
    page = visit.go(path).page
    page.wait_for_load_state("load")
    page.add_script_tag(path=str(AXE))

    found = page.evaluate("axe.run().then(r => r.violations)")

    serious = [
        (v["id"], [node["html"][:120] for node in v["nodes"]][:3])
        for v in found
        if v["impact"] in {"serious", "critical"}
    ]
    assert serious == []
    visit.end()


def test_portuguese_reads_portuguese(browser: object, server: Server) -> None:
    """A browser that prefers Portuguese gets it, titles and reasons too."""
    visit = Visit(browser, server, locale="pt-BR")
    page = visit.go().page

    page.get_by_role("heading", name="Incidentes").wait_for()
    assert page.locator("html").get_attribute("lang") == "pt"
    assert page.title() == "Agora · Log Sentinel"
    page.locator("#zone", has_text="As horas são as do seu fuso").wait_for()
    visit.end()


def test_incident_is_held_against_what_is_normal(visit: Visit, server: Server) -> None:
    """The nearest normal line with its time, the line as it came, what would be normal; in the reader's language."""
    server.client.post("/logs", json=[{"level": "error", "source": "orders", "message": "order 7 lost in 3 ms"}])
    lost = {"source": "orders", "kind": "new_template"}
    eventually(lambda: server.client.get("/incidents", params=lost).json())
    (found,) = server.client.get("/incidents", params=lost).json()

    detail = visit.go(f"/?incident={found['id']}").page.locator("#detail")

    detail.get_by_role("heading", name="Nearest normal line").wait_for()
    assert detail.get_by_text(found["explanation"]["nearest"]["line"], exact=True).count() == 1
    assert detail.locator("pre mark", has_text="lost").count() >= 2
    assert detail.locator(".ways li").count() >= 1


def test_false_alarm_quiets_the_same_attack_until_undone(visit: Visit, server: Server) -> None:
    """Said with one click the attack alarms no more; with Undo it does again; the head counts what is open."""

    def alarms() -> bool:
        lines = guesses("198.51.100.77", 60)
        return any(row["is_anomaly"] for row in server.client.post("/predict", json=lines).json())

    server.client.post("/logs", json=guesses("198.51.100.77"))
    page = visit.go().page
    page.get_by_role("link", name="198.51.100.77").first.click()
    page.locator("#detail h2", has_text="198.51.100.77").wait_for()
    assert alarms()

    def count_is_right() -> bool:
        shown = page.locator("#open-count").inner_text()
        return shown == str(len(server.client.get("/incidents", params={"state": "open"}).json()))

    page.get_by_label("What is a false alarm").select_option("actor")
    page.get_by_role("button", name="False alarm").click()
    undo = page.get_by_role("button", name="Undo")
    undo.wait_for()
    eventually(lambda: not alarms())
    eventually(count_is_right)
    undo.click()
    eventually(alarms)
    eventually(count_is_right)


def test_mute_has_an_end(visit: Visit, server: Server) -> None:
    """For the chosen time: the server knows until when, the list shows it under Muted, and it is taken back."""
    page = visit.go().page
    page.locator("#detail h2").wait_for()
    title = page.locator("#detail h2").inner_text()

    page.get_by_label("Mute for").select_option("1d")
    page.get_by_role("button", name="Mute", exact=True).click()
    undo = page.get_by_role("button", name="Undo")
    undo.wait_for()
    (word,) = server.client.get("/feedback").json()
    left = datetime.fromisoformat(word["until"]) - datetime.now(UTC)
    page.locator("#states").get_by_role("button", name="Muted").click()
    page.locator("li.inc", has_text=title).wait_for()
    undo.click()

    assert timedelta(hours=23) < left <= timedelta(days=1)
    eventually(lambda: server.client.get("/feedback").json() == [])


def test_model_is_rolled_back_and_pinned(visit: Visit, server: Server) -> None:
    """The version before goes into service with one click, and is pinned with another."""
    before = server.client.get("/status").json()["model"]["version"]
    assert server.client.post("/train", json=USUAL).json()["promoted"]
    eventually(lambda: server.client.get("/status").json()["model"]["version"] != before)
    page = visit.go("/page/model").page
    row = page.locator("tr", has_text=before)

    row.get_by_role("button", name="Put in service").click()

    eventually(lambda: server.client.get("/status").json()["model"]["version"] == before)
    page.locator("tr", has_text=before).get_by_text("in service").wait_for()
    page.locator("tr", has_text=before).get_by_role("button", name="Pin", exact=True).click()
    page.locator("tr", has_text=before).get_by_text("pinned").wait_for()
    pinned = [row["version"] for row in server.client.get("/models").json() if row["pinned"]]
    assert pinned == [before]
    page.locator("#preview").get_by_text("the last seven days").wait_for()
    keep_picture(page, "model")


def test_dead_letter_is_replayed(visit: Visit, server: Server) -> None:
    """The letter stands there with its reason; replayed it is delivered, and the books say so."""
    page = visit.go("/page/health").page
    row = page.locator("tr", has_text="mapping conflict of before")
    row.wait_for()
    keep_picture(page, "health")
    assert server.client.get("/status").json()["ledger"]["dead"] == 1

    row.get_by_role("button", name="Replay").click()

    eventually(lambda: server.client.get("/status").json()["ledger"]["dead"] == 0)
    eventually(lambda: server.client.get("/status").json()["ledger"]["waiting"] == 0)


def test_patterns_and_sources_are_explored(visit: Visit) -> None:
    """Each view answers its question: patterns with their trend, sources with their heartbeat."""
    page = visit.go("/page/explore").page

    page.get_by_role("button", name="Sources").click()
    page.get_by_role("cell", name="orders", exact=True).wait_for()
    page.get_by_role("button", name="Patterns").click()
    page.locator("td", has_text="stored in").first.wait_for()
    keep_picture(page, "explore")


def test_keyboard_alone_says_false_alarm_and_takes_it_back(visit: Visit, server: Server) -> None:
    """No mouse at all: the skip link, Tab to an incident, Enter, Tab to the action, Space, Tab to Undo, Enter."""
    page = visit.go().page
    page.locator("li.inc").first.wait_for()

    def tab_to(claim: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate(f"(e => {claim})(document.activeElement)"):
                return
        pytest.fail(f"Tab never comes to what is wanted: {claim}")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    tab_to("e.dataset.incident")
    page.keyboard.press("Enter")
    tab_to("e.innerText === 'False alarm'")
    page.keyboard.press("Space")
    page.get_by_role("button", name="Undo").wait_for()
    eventually(lambda: len(server.client.get("/feedback").json()) == 1)
    tab_to("e.innerText === 'Undo'")
    page.keyboard.press("Enter")
    eventually(lambda: server.client.get("/feedback").json() == [])


def test_news_leave_what_somebody_works_on(visit: Visit) -> None:
    """A scope that was chosen stays chosen when the page updates by itself; a change by hand shows its result at once,
    and the focus stays on the same action."""
    page = visit.go().page
    page.locator("li.inc a").first.wait_for()
    page.evaluate("window.swaps = []")
    page.evaluate("document.addEventListener('htmx:afterSettle', (event) => window.swaps.push(event.target.id))")
    page.locator("li.inc a").first.click()
    eventually(lambda: "detail" in page.evaluate("window.swaps"))
    page.locator("#scope").select_option("source")
    page.locator("#scope").focus()

    page.evaluate("window.swaps = []")  # it updates by itself every 15 s at the latest
    eventually(lambda: "incidents" in page.evaluate("window.swaps"))

    assert page.locator("#scope").input_value() == "source"
    page.locator("#act-state").focus()
    page.keyboard.press("Enter")
    page.locator("#act-state", has_text="Open again").wait_for()
    eventually(lambda: page.evaluate("document.activeElement.id") == "act-state")
    page.get_by_role("button", name="Undo").click()


def test_portuguese_explains_in_portuguese(browser: object, server: Server) -> None:
    """Reasons, what would be normal and the screens' questions: no English sentence of ours is left."""
    asked = {"actor": "192.0.2.61"}
    server.client.post("/logs", json=guesses("192.0.2.61"))
    eventually(lambda: server.client.get("/incidents", params=asked).json())
    (found, *_) = server.client.get("/incidents", params=asked).json()
    visit = Visit(browser, server, locale="pt-BR")

    page = visit.go(f"/?incident={found['id']}").page
    page.get_by_role("heading", name="O que seria normal").wait_for()
    said = page.locator("#detail .why").inner_text() + page.locator("#detail .ways").inner_text()

    assert "logins falhos" in said
    assert not [word for word in ("usual", "at most", "instead of", "within") if word in said]
    visit.end()
