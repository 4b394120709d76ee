"""First paint of the page in Chromium, with 100,000 anomalies in the store and 5,000 incidents in the spool."""

import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl

from benchmarks.measure import Figure, Skipped, alone
from benchmarks.servers import our_server
from sentinel.pipeline.incidents import keep
from sentinel.records import ANOMALIES, ANOMALY_COLUMNS, RECORD_SCHEMA
from sentinel.spool import Spool
from sentinel.store import open_store

STORED, KEPT, INCIDENTS = 100_000, 10_000, 5_000
STEPS = 10  # groups of incidents, each long after the one before
VISITS = 5
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SCREENS = {"Now": "/", "Explore": "/page/explore", "Model": "/page/model", "Health": "/page/health"}
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"


def run(rounds: int) -> list[Figure]:
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise Skipped("Playwright is not installed") from None
    if browser is None:
        raise Skipped("none of " + ", ".join(BROWSERS) + " is installed")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        home = Path(folder)
        _fill(home)
        with our_server(home) as url:
            _settle(url)
            chromium = started.chromium.launch(executable_path=browser, args=FLAGS)
            paints = {name: _paints_ms(chromium, url + path, rounds) for name, path in SCREENS.items()}
            chromium.close()
    what = f"first paint, {STORED:,} anomalies, {INCIDENTS:,} incidents"
    return [alone(f"{what}, {name}", "ms", values, "≤ 1,000 ms") for name, values in paints.items()]


def _paints_ms(chromium: object, url: str, rounds: int) -> list[float]:
    """First contentful paint of visits with an empty cache, after one that warms the server."""
    values = []
    for visit in range(rounds * VISITS + 1):
        context = chromium.new_context()  # type: ignore[attr-defined]
        page = context.new_page()
        page.goto(url)
        page.wait_for_function(f"() => performance.getEntriesByName('first-contentful-paint').length && {PAINT} > 0")
        if visit:
            values.append(float(page.evaluate(PAINT)))
        context.close()
    return values


def _fill(home: Path) -> None:
    """The store with all anomalies, the spool with the newest and their incidents."""
    now = datetime.now(UTC)
    store = open_store(addr=None, index="bench", folder=home / "store")
    for first in range(0, STORED, 10_000):
        store.write(_anomalies(first, 10_000, now - timedelta(days=7), 5.0), stream=ANOMALIES)
    store.close()
    with Spool.open(home / "spool") as spool:
        for step in range(STEPS):
            start = now - timedelta(hours=2 * (STEPS - step))
            frame = _anomalies(STORED + step * KEPT // STEPS, KEPT // STEPS, start, 1.0)
            keep(spool, frame, [""] * frame.height)


def _anomalies(first: int, count: int, start: datetime, step_s: float) -> pl.DataFrame:
    """Anomalies in pairs: every two are of one source and template."""
    rows = pl.select(pl.int_range(first, first + count).alias("n"))["n"]
    at = pl.Series([start + timedelta(seconds=step_s * (i // 2)) for i in range(count)], dtype=pl.Datetime("ns", "UTC"))
    words = rows.to_list()
    columns: dict[str, object] = {
        "event_id": [f"bench{n:015d}-m1" for n in words],
        "event": [f"bench{n:015d}" for n in words],
        "spool": ["bench"] * count,
        "sequence": [n + 1 for n in words],
        "partition": [f"{start:%Y.%m}"] * count,
        "timestamp": at,
        "received": at.dt.cast_time_unit("ms"),
        "level": ["error"] * count,
        "source": [f"service-{n // 2 % (INCIDENTS // STEPS)}" for n in words],
        "message": [f"Connection to shard {n} lost: no answer within {n % 97} ms" for n in words],
        "origin": ["/var/log/bench.log"] * count,
        "offset": [n * 60 for n in words],
        "anomaly_score": [0.5 + n % 50 / 100 for n in words],
        "nats": [7.5 + n % 20 for n in words],
        "threshold": [0.5] * count,
        "is_anomaly": [True] * count,
        "kind": ["rare_template"] * count,
        "reasons": [["a rare kind of line: seen 2 times in 9,000 lines, and it reads as a failure"]] * count,
        "template": ["Connection to shard <NUM> lost: no answer within <NUM> ms"] * count,
        "model_version": ["m1"] * count,
        "confidence": ["normal"] * count,
    }
    schema = {**RECORD_SCHEMA, **ANOMALY_COLUMNS}
    return pl.DataFrame({n: pl.Series(n, columns.get(n, [None] * count), dtype=t) for n, t in schema.items()})


def _settle(url: str) -> None:
    """Wait until what the spool held is delivered, so that the page is measured alone."""
    with httpx.Client(base_url=url, timeout=60) as client:
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if client.get("/status").json()["readers"]["deliver-anomalies"]["lag"] == 0:
                break
            time.sleep(0.5)
        shown = client.get("/incidents", params={"limit": 5_000}).json()
    if len(shown) != INCIDENTS:
        raise RuntimeError(f"{len(shown)} of {INCIDENTS} incidents are there")
