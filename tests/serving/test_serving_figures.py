"""`/status` and `/metrics` tell the same books as the spool: in all, by source, with reasons and back-off."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
from prometheus_client.parser import text_string_to_metric_families

from sentinel import secrecy
from sentinel.pipeline.secrets import count_masked
from sentinel.pipeline.votes import Votes
from sentinel.records import RECORD_SCHEMA
from sentinel.settings import Settings
from serving.app import create_app
from serving.assemble import open_parts, put_away
from serving.parts import Parts
from serving.problems import problem_bytes

NOW = datetime.now(UTC)
BOOKS = ("received", "rejected", "accepted", "delivered", "waiting", "dead")


def records(source: str, count: int, first: int) -> pl.DataFrame:
    moments = {"timestamp": NOW, "received": NOW, "partition": "2026.11", "source": source}
    rows = [{"event_id": f"{first + n:022d}", "message": "m", **moments} for n in range(count)]
    return pl.DataFrame(rows, schema=RECORD_SCHEMA)


@pytest.fixture
def parts(tmp_path: Path) -> Iterator[Parts]:
    """A server whose readers rest: 10 accepted of two sources, 5 delivered, 2 of them dead, 3 rejected, failing."""
    found = open_parts(Settings(log_sentinel_home=tmp_path / "home", log_sentinel_min_free_mb=1))
    spool = found.sentinel.spool
    with spool.transaction() as tx:
        tx.append(records("shop", 6, 0))
        tx.append(records("till", 4, 10))
        count_masked(tx, {"card": 3})
        votes = Votes()
        votes.count(pl.Series(["/logs/a"] * 100), pl.Series(["json"] * 98 + [None] * 2), 1795000000.0)
        votes.save(tx)
        tx.count_rejected({("127.0.0.1", "message is missing"): 3})
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        assert lease is not None
        tx.move(lease, 5, dead={2: "400 mapping: field a", 3: "400 mapping: field b"})
        tx.postpone(lease, 1, datetime.now(UTC).timestamp() + 3_600.0, "429 busy")
        tx.put_blob("failing-deliver", b'{"since_s": 1795000000.0}')
    yield found
    put_away(found)


async def get(parts: Parts, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        return await client.get(path)


async def test_status_has_the_books_of_each_source(parts: Parts) -> None:
    """Sources balance and add up to the ledger; letters have their reasons; a failing reader says since when."""
    told = (await get(parts, "/status")).json()

    assert {row["source"]: [row[name] for name in BOOKS] for row in told["sources"]} == {
        "shop": [6, 0, 6, 3, 1, 2],
        "till": [4, 0, 4, 0, 4, 0],
        "127.0.0.1": [3, 3, 0, 0, 0, 0],
    }
    assert [sum(row[name] for row in told["sources"]) for name in BOOKS] == [told["ledger"][name] for name in BOOKS]
    assert told["dead_letters"] == [{"stream": "events", "state": "dead", "reason": "400 mapping", "count": 2}]
    assert told["readers"]["deliver"]["failing_since"] == "2026-11-18T11:06:40Z"
    assert told["quarantined"] == 0
    assert told["formats"] == [
        {"file": "/logs/a", "format": "json", "confidence": 0.98, "since": "2026-11-18T11:06:40Z", "before": None}
    ]
    assert (told["masked"]["card"], told["masked"]["jwt"]) == (3, 0)


async def test_metrics_have_sources_reasons_and_backoff(parts: Parts) -> None:
    """The same books for Prometheus; what is dropped or waits has its reason and its length."""
    text = (await get(parts, "/metrics")).text
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }

    assert [samples[f"sentinel_source_{name}_total", "shop"] for name in BOOKS[:4]] == [6, 0, 6, 3]
    assert [samples[f"sentinel_source_{name}_records", "shop"] for name in BOOKS[4:]] == [1, 2]
    assert samples["sentinel_source_rejected_total", "127.0.0.1"] == 3
    assert samples["sentinel_dead_letters", "400 mapping", "dead", "events"] == 2
    assert samples["sentinel_rejected_total", "message is missing"] == 3
    assert 3_000 < samples["sentinel_reader_backoff_seconds", "deliver"] <= 3_600
    assert samples["sentinel_quarantined_batches",] == 0
    assert (samples["sentinel_masked_total", "card"], samples["sentinel_masked_total", "jwt"]) == (3, 0)


async def test_status_and_problems_tell_no_secret(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors that quote a credential are shown without it, also those that were noted before."""
    secrecy.learn("geheimnis")
    monkeypatch.setattr(parts.deliver, "store_error", "refused 'ApiKey geheimnis'")
    monkeypatch.setattr(parts.live, "_problem", "the key geheimnis is wrong")

    told = [(await get(parts, path)).text for path in ("/status", "/anomalies?limit=geheimnis", "/ready")]
    told.append(problem_bytes(503, "as geheimnis", {"reasons": ["geheimnis"], "status_of": {"geheimnis": 1}}).decode())
    secrecy.forget()

    assert not [text for text in told if "geheimnis" in text]
    assert "ApiKey [secret]" in told[0]
