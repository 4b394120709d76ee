"""The Kibana objects have the shapes that Kibana's own schemas ask for, and each finds something in Elasticsearch.

The shapes are those of Kibana 8.8 to 9, written down here by hand: its saved objects' schemas of `dashboard`, `search`
and `visualization`. What its migrations of 7.x, which an import runs, would change is not there.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch
from pydantic import BaseModel, ConfigDict, Json

from sentinel.store.elastic import ElasticStore
from tests.store.store_records import anomalies, records
from tests.store.test_store_contract import remove_indices

FILE = Path(__file__).parents[2] / "deployments/observability/kibana.ndjson"
OBJECTS = [json.loads(line) for line in FILE.read_text().splitlines()]
BY_ID = {item["id"]: item for item in OBJECTS}
ASKING = [item for item in OBJECTS if item["type"] in {"visualization", "search"}]
NOW = datetime(2026, 11, 1, 12, 30, tzinfo=UTC)
SCHEMAS = {"histogram": {"metric", "segment", "group"}, "table": {"metric", "bucket"}}


class Strict(BaseModel):
    """Unknown names are refused, as Kibana's schemas refuse them; no text is taken for a number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(Strict):
    query: str
    language: str


class SearchSource(Strict):
    query: Query
    filter: list[Any]
    indexRefName: str | None = None


class Meta(Strict):
    searchSourceJSON: Json[SearchSource]


class DataView(Strict):
    title: str
    name: str
    timeFieldName: str


class Search(Strict):
    title: str
    description: str
    columns: list[str]
    sort: list[list[str]]
    kibanaSavedObjectMeta: Meta
    hits: int
    version: int


class Grid(Strict):
    x: int
    y: int
    w: int
    h: int
    i: str


class Panel(Strict):
    version: str
    type: str
    gridData: Grid
    panelIndex: str
    embeddableConfig: dict[str, Any]
    panelRefName: str


class Visualization(Strict):
    title: str
    description: str
    version: int
    kibanaSavedObjectMeta: Meta
    uiStateJSON: Json[dict[str, Any]]
    visState: Json[dict[str, Any]]


class Refresh(Strict):
    pause: bool
    value: int


class Dashboard(Strict):
    title: str
    description: str
    kibanaSavedObjectMeta: Meta
    timeRestore: bool
    timeFrom: str
    timeTo: str
    refreshInterval: Refresh
    panelsJSON: Json[list[Panel]]
    optionsJSON: Json[dict[str, bool]]
    hits: int
    version: int


SHAPES: dict[str, type[Strict]] = {
    "index-pattern": DataView,
    "search": Search,
    "visualization": Visualization,
    "dashboard": Dashboard,
}


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["id"])
def test_object_has_the_shape_that_kibana_asks_for(item: dict[str, Any]) -> None:
    """Each attribute is known, of its type, and what is JSON within JSON parses; each reference is used and named."""
    read = SHAPES[item["type"]].model_validate(item["attributes"])

    assert set(item) == {"id", "type", "attributes", "references"}
    assert all(set(ref) == {"name", "type", "id"} and ref["id"] in BY_ID for ref in item["references"])
    if isinstance(read, Search | Visualization):
        source = read.kibanaSavedObjectMeta.searchSourceJSON
        assert [ref["name"] for ref in item["references"]] == [source.indexRefName]
        assert source.query.language == "kuery"
    if isinstance(read, Search):
        assert all(len(pair) == 2 and pair[1] in {"asc", "desc"} for pair in read.sort)


@pytest.mark.parametrize("item", OBJECTS, ids=lambda item: item["id"])
def test_picture_has_all_that_its_kind_draws_from(item: dict[str, Any]) -> None:
    """Axes that series and dimensions name are there; each aggregation has a place in this kind of picture."""
    if item["type"] != "visualization":
        return
    state = json.loads(item["attributes"]["visState"])
    aggregations, params = state["aggs"], state["params"]

    assert state.keys() == {"title", "type", "params", "aggs"}
    assert all(a.keys() == {"id", "enabled", "type", "schema", "params"} for a in aggregations)
    assert {a["schema"] for a in aggregations} <= SCHEMAS[state["type"]]
    assert len({a["id"] for a in aggregations}) == len(aggregations)
    metrics = {a["id"] for a in aggregations if a["schema"] == "metric"}
    assert all(a["params"]["orderBy"] in metrics for a in aggregations if a["type"] == "terms")
    if state["type"] == "histogram":
        axes = {axis["id"] for axis in params["valueAxes"]}
        assert {series["valueAxis"] for series in params["seriesParams"]} <= axes
        assert {series["data"]["id"] for series in params["seriesParams"]} == metrics
        assert params["categoryAxes"]


def test_panels_lie_beside_each_other() -> None:
    """Within the 48 columns, none over another, each under its own index; objects of the type that a panel says."""
    dashboard = next(item for item in OBJECTS if item["type"] == "dashboard")
    references = {ref["name"]: ref for ref in dashboard["references"]}
    taken: set[tuple[int, int]] = set()

    for panel in Dashboard.model_validate(dashboard["attributes"]).panelsJSON:
        at = panel.gridData
        cells = {(x, y) for x in range(at.x, at.x + at.w) for y in range(at.y, at.y + at.h)}
        assert at.i == panel.panelIndex
        assert at.x + at.w <= 48
        assert not cells & taken
        assert references[panel.panelRefName]["type"] == panel.type
        taken |= cells


@pytest.fixture(scope="module")
def found(elastic_url: str) -> Iterator[tuple[Elasticsearch, str]]:
    """An Elasticsearch with events, anomalies and an open incident of ours."""
    index = f"t-kibana-{NOW:%H%M}-{id(OBJECTS):x}"
    with Elasticsearch(elastic_url) as client:
        store = ElasticStore(client, index)
        store.setup()
        store.write(records(30))
        store.write(anomalies(9), stream="anomalies")
        store.put_incidents([("i1", 1, _incident())])
        store.refresh()
        client.indices.refresh(index=f"{index}-*")
        yield client, index
    remove_indices(elastic_url, index)


def _incident() -> dict[str, Any]:
    names = {"kind": "brute_force", "severity": "critical", "state": "open", "title": "40 failed log-ins"}
    times = {"@timestamp": NOW.isoformat(), "first": NOW.isoformat(), "last": NOW.isoformat()}
    return {**names, **times, "lines": 40, "peak_score": 0.9, "sources": ["sshd"], "actors": ["10.0.0.7"]}


@pytest.mark.parametrize("item", ASKING, ids=lambda item: item["id"])
def test_object_finds_something_in_elasticsearch(item: dict[str, Any], found: tuple[Elasticsearch, str]) -> None:
    """What Kibana would ask, within the dashboard's columns, sorting and buckets: documents in each, no error."""
    client, index = found
    attributes = item["attributes"]
    view = BY_ID[item["references"][0]["id"]]["attributes"]["title"].replace("logs-sentinel", index)
    kuery = json.loads(attributes["kibanaSavedObjectMeta"]["searchSourceJSON"])["query"]["query"]
    text = {"query_string": {"query": kuery.replace(" or ", " OR ")}} if kuery else {"match_all": {}}
    body = {"query": text, "fields": attributes.get("columns", []), "size": 1, "track_total_hits": True}
    body["sort"] = [{field: order} for field, order in attributes.get("sort", [])]
    state = json.loads(attributes.get("visState", '{"aggs": []}'))

    answer = client.search(index=view, **body, aggs=_aggregations(state["aggs"]))  # type: ignore[arg-type]

    assert answer["hits"]["total"]["value"] > 0
    assert set(attributes.get("columns", [])) <= answer["hits"]["hits"][0].get("fields", {}).keys()
    for name, bucket in answer.get("aggregations", {}).items():
        assert bucket.get("buckets") or bucket.get("value"), name


def _aggregations(aggregations: list[dict[str, Any]]) -> dict[str, Any]:
    """Those of a picture side by side, by their ids, as Kibana writes them."""
    asked = {}
    for one in aggregations:
        params = one["params"]
        if one["type"] == "date_histogram":
            asked[one["id"]] = {"auto_date_histogram": {"field": params["field"], "buckets": 50}}
        elif one["type"] == "terms":
            asked[one["id"]] = {"terms": {"field": params["field"], "size": params["size"]}}
        elif one["type"] == "max":
            asked[one["id"]] = {"max": {"field": params["field"]}}
    return asked
