"""A home that kept Parquet files and then got an Elasticsearch: what is left behind is told until it is loaded."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from sentinel.left_behind import left_behind
from sentinel.settings import load_settings

Command = Callable[..., Any]


@pytest.fixture
def history(sentinel_command: Command, home: Path) -> Path:
    """Two records in Parquet files."""
    (home.parent / "in" / "app.log").write_text("2026-01-05 10:00:00 INFO opened\n2026-01-05 10:00:01 INFO closed\n")
    assert sentinel_command("collect").code == 0
    assert sentinel_command("load").code == 0
    return home / "store"


def told(ran: Any) -> list[str]:
    return [row["what"] for row in orjson.loads(ran.out)["findings"] if row["check"] == "store" and row["advice"]]


def test_history_is_told_until_it_is_loaded(
    sentinel_command: Command, history: Path, elastic_url: str, elastic_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`doctor` names files and command; after that command it is silent, and speaks again for another index."""
    before = told(sentinel_command("doctor", "--json"))
    monkeypatch.setenv("ELASTIC_ADDR", elastic_url)
    monkeypatch.setenv("ELASTIC_INDEX", elastic_index)
    asked = sentinel_command("doctor")
    loaded = sentinel_command("load", "--from-parquet", "--json")
    after = told(sentinel_command("doctor", "--json"))
    monkeypatch.setenv("ELASTIC_INDEX", f"{elastic_index}-2")
    other = told(sentinel_command("doctor", "--json"))

    assert before == []
    assert f"1 Parquet file in {history} from before ELASTIC_ADDR was set" in asked.out
    assert "`sentinel load --from-parquet` brings them there" in asked.out
    assert orjson.loads(loaded.out)["loaded"] == 2
    assert not any("Parquet" in what for what in after)
    assert any("Parquet" in what for what in other)


def test_files_of_a_later_time_without_elasticsearch_are_told(
    sentinel_command: Command, history: Path, elastic_url: str, elastic_index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back to files and then to Elasticsearch again: what came in between is named."""
    monkeypatch.setenv("ELASTIC_ADDR", elastic_url)
    monkeypatch.setenv("ELASTIC_INDEX", elastic_index)
    sentinel_command("load", "--from-parquet")
    quiet = left_behind(load_settings())
    [file] = (history / "events").rglob("*.parquet")
    later = file.with_name(file.name.replace("-000000000000001-", "-000000000000003-"))
    later.write_bytes(file.read_bytes())
    os.utime(later, (file.stat().st_mtime + 3_600, file.stat().st_mtime + 3_600))

    assert quiet is None
    assert "1 Parquet file" in str(left_behind(load_settings()))
