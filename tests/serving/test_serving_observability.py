"""The dashboards and alert rules ask for metrics, labels and fields that are really there."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from sentinel.pipeline.secrets import count_masked
from sentinel.records import RECORD_SCHEMA
from sentinel.settings import Settings
from sentinel.store import schema
from serving.app import create_app
from serving.assemble import open_parts, put_away

FOLDER = Path(__file__).parents[2] / "deployments/observability"
RULES = yaml.safe_load((FOLDER / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
GRAFANA = json.loads((FOLDER / "grafana.json").read_text())
KIBANA = [json.loads(line) for line in (FOLDER / "kibana.ndjson").read_text().splitlines()]
TARGETS = [target["expr"] for panel in GRAFANA["panels"] for target in panel["targets"]]
EXPRESSIONS = [*(rule["expr"] for rule in RULES), *TARGETS]
NOW = datetime.now(UTC)
FROM_PROMETHEUS = {"instance", "job", "le"}  # labels that it adds itself, or that histograms have
OF_SERIES = re.compile(r"\b(sentinel_[a-z_]+)(?:\{([^}]*)\})?")
GROUPED = re.compile(r"\b(?:by|on) \(([^)]*)\)")
MAPPINGS = {
    "log-sentinel-events": schema.events_mapping(),
    "log-sentinel-anomalies": schema.anomalies_mapping(),
    "log-sentinel-incidents": schema.incidents_template("logs-sentinel")["template"]["mappings"],
}
PATTERNS = {
    "log-sentinel-events": schema.events_template("logs-sentinel"),
    "log-sentinel-anomalies": schema.anomalies_template("logs-sentinel"),
    "log-sentinel-incidents": schema.incidents_template("logs-sentinel"),
}


ROW = {"timestamp": NOW, "received": NOW, "partition": "2026.11", "source": "shop", "message": "m"}


@pytest.fixture
async def metrics(tmp_path: Path) -> dict[str, set[str]]:
    """What `/metrics` offers where something of all kinds has happened, by the name of the series: its labels."""
    parts = open_parts(Settings(log_sentinel_home=tmp_path / "home", log_sentinel_min_free_mb=1))
    spool = parts.sentinel.spool
    with spool.transaction() as tx:
        tx.append(pl.DataFrame([ROW | {"event_id": f"{n:022d}"} for n in range(3)], schema=RECORD_SCHEMA))
        tx.count_rejected({("127.0.0.1", "message is missing"): 1})
        count_masked(tx, {"card": 1})
    with spool.lease("deliver") as lease, spool.transaction() as tx:
        assert lease is not None
        tx.move(lease, 2, dead={2: "400 mapping: field a"})
    transport = httpx.ASGITransport(create_app(parts))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        await client.post("/logs", json={"message": "hello", "source": "shop"})
        text = (await client.get("/metrics")).text
    put_away(parts)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(family.name, set())
        found.setdefault(f"{family.name}_total" if family.type == "counter" else family.name, set())
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


async def test_series_are_there(metrics: dict[str, set[str]]) -> None:
    """Each series that a panel or a rule names is one of ours."""
    asked = {name for text in EXPRESSIONS for name, _ in OF_SERIES.findall(text)}
    buckets = {f"{name}_bucket" for name in metrics}

    assert len(asked) > 15
    assert asked - metrics.keys() - buckets == set()


async def test_labels_are_there(metrics: dict[str, set[str]]) -> None:
    """What a series is narrowed by is a label that it has, where one is there to look at."""
    for text in EXPRESSIONS:
        for name, narrowed in OF_SERIES.findall(text):
            labels = set(re.findall(r"(\w+)\s*=~?", narrowed)) - FROM_PROMETHEUS
            if metrics.get(name):
                assert labels <= metrics[name], text
        known = set().union(*(metrics.get(name, set()) for name, _ in OF_SERIES.findall(text)))
        grouped = {label.strip() for found in GROUPED.findall(text) for label in found.split(",")} - FROM_PROMETHEUS
        assert grouped <= known or not known, text


def test_rules_say_what_to_do() -> None:
    """Each rule has a name of its own, a severity, and two sentences for who is woken up."""
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    assert all(rule["labels"]["severity"] in {"warning", "critical"} for rule in RULES)
    assert all({"summary", "description"} <= rule["annotations"].keys() for rule in RULES)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool on the path")
def test_promtool_takes_the_rules() -> None:
    """Prometheus' own tool finds nothing wrong."""
    done = subprocess.run(
        ["promtool", "check", "rules", str(FOLDER / "prometheus-alerts.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_panels_lie_beside_each_other() -> None:
    """Panels have ids of their own, lie within the 24 columns and do not cover each other."""
    taken: set[tuple[int, int]] = set()
    for panel in GRAFANA["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken
        taken |= cells

    assert len({panel["id"] for panel in GRAFANA["panels"]}) == len(GRAFANA["panels"])
    assert {variable["name"] for variable in GRAFANA["templating"]["list"]} == {"datasource", "instance"}


def test_kibana_views_read_our_indices() -> None:
    """The data views are those of the index templates, by a time that these have."""
    views = {item["id"]: item["attributes"] for item in KIBANA if item["type"] == "index-pattern"}

    assert {name: [view["title"]] for name, view in views.items()} == {
        name: template["index_patterns"] for name, template in PATTERNS.items()
    }
    assert all(view["timeFieldName"] in MAPPINGS[name]["properties"] for name, view in views.items())


def test_kibana_objects_ask_for_fields_that_can_answer() -> None:
    """Columns, sorting, filters and buckets are fields of the mapping; what is counted by terms is no text."""
    for item in KIBANA:
        view = next((ref["id"] for ref in item["references"] if ref["type"] == "index-pattern"), None)
        if view is None:
            continue
        properties, attributes = MAPPINGS[view]["properties"], item["attributes"]
        aggregations = json.loads(attributes.get("visState", "{}")).get("aggs", [])
        buckets = {a["params"]["field"] for a in aggregations if "field" in a["params"]}
        query = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
        shown = {*attributes.get("columns", ()), *(field for field, _ in attributes.get("sort", ()))}
        asked = buckets | shown | set(re.findall(r"([\w.@]+)\s*:", query))

        assert asked
        assert asked <= properties.keys(), item["id"]
        assert all(properties[field]["type"] != "text" for field in buckets)


def test_kibana_references_lead_somewhere() -> None:
    """Everything that an object refers to is in the same file, and the dashboard shows all there is."""
    there = {(item["type"], item["id"]) for item in KIBANA}
    dashboard = next(item for item in KIBANA if item["type"] == "dashboard")
    panels = json.loads(dashboard["attributes"]["panelsJSON"])

    assert all((ref["type"], ref["id"]) in there for item in KIBANA for ref in item["references"])
    assert [panel["panelRefName"] for panel in panels] == [ref["name"] for ref in dashboard["references"]]
    assert len(panels) == len([item for item in KIBANA if item["type"] in {"visualization", "search"}])
