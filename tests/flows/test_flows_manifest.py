"""prefect.yaml and prefect.toml promise what users type; every entrypoint is a flow that really loads."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = yaml.safe_load((ROOT / "prefect.yaml").read_text())
DEPLOYMENTS: list[dict[str, Any]] = MANIFEST["deployments"]

PROMISED = {
    "collect-files/every-minute": ("CANCEL_NEW", 300),
    "load-elastic/every-minute": ("CANCEL_NEW", 60),
    "score-batch/every-10-minutes": ("CANCEL_NEW", 600),
    "retrain-detector/nightly": ("ENQUEUE", "20 3 * * *"),
}


def full_name(deployment: dict[str, Any]) -> str:
    flow = deployment["entrypoint"].rsplit(".", 1)[1].replace("_", "-")
    return f"{flow}/{deployment['name']}"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=full_name)
def test_entrypoint_loads_when_nothing_may_stand_in(deployment: dict[str, Any]) -> None:
    """The entrypoint is dotted, imports without an error, and is an async flow of the promised name."""
    import inspect

    from prefect.flows import load_flow_from_entrypoint

    loaded = load_flow_from_entrypoint(deployment["entrypoint"], use_placeholder_flow=False)

    assert ":" not in deployment["entrypoint"]
    assert f"{loaded.name}/{deployment['name']}" in PROMISED
    assert inspect.iscoroutinefunction(loaded.fn)


def test_deployments_are_those_promised() -> None:
    """Names, schedules, limits and collision strategies are what the documents say."""
    found = {
        full_name(one): (
            one["concurrency_limit"]["collision_strategy"],
            one["schedules"][0].get("interval") or one["schedules"][0]["cron"],
        )
        for one in DEPLOYMENTS
    }

    assert found == PROMISED


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=full_name)
def test_deployment_has_one_schedule_and_a_limit_of_one(deployment: dict[str, Any]) -> None:
    """Without a limit, a worker that was away would start all late runs at once."""
    assert len(deployment["schedules"]) == 1
    assert deployment["concurrency_limit"]["limit"] == 1
    assert deployment["work_pool"]["name"] == "sentinel"


def test_retrain_takes_a_span_and_a_bound() -> None:
    """The nightly retrain can be asked for another span of time or number of records; it learns from no attack."""
    from flows.retrain_detector import retrain_detector

    known = retrain_detector.parameters.properties

    assert set(known) == {"since", "until", "max_records", "exclude_anomalies"}
    assert known["exclude_anomalies"]["default"] is True
    assert all(one.get("description") for one in known.values())
    [number] = [form for form in known["max_records"]["anyOf"] if form["type"] == "integer"]
    assert (number["minimum"], number["maximum"]) == (2, 5_000_000)


def test_pool_is_the_same_everywhere() -> None:
    """The manifest, the step that makes the pool and the supervisor name one pool."""
    from deployments.pool import POOL
    from sentinel.stack import supervisor

    assert {one["work_pool"]["name"] for one in DEPLOYMENTS} == {POOL} == {supervisor.POOL}


def test_settings_reach_prefect_when_started_in_the_root() -> None:
    """Prefect understands every line of prefect.toml: a misspelt name would be passed over in silence."""
    code = (
        "import json; from prefect.settings import get_current_settings as get; "
        "print(json.dumps(get().model_dump(mode='json')))"
    )
    clean = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=clean, capture_output=True, text=True, check=True
    ).stdout
    effective = json.loads(printed)
    written = tomllib.loads((ROOT / "prefect.toml").read_text())

    differing = [path for path, value in _leaves(written) if not _agrees(_at(effective, path), value)]

    assert differing == []


def _leaves(table: dict[str, Any], path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    found = []
    for name, value in table.items():
        found += _leaves(value, (*path, name)) if isinstance(value, dict) else [((*path, name), value)]
    return found


def _at(table: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        table = table[name]
    return table


def _agrees(effective: Any, written: Any) -> bool:
    """Equal, allowing for lists given as text and spans of time given in seconds."""
    if isinstance(effective, list):
        return sorted(effective) == sorted(str(written).split(","))
    if isinstance(effective, str) and effective.startswith("P"):
        return effective == f"P{written // 86_400}D"
    return bool(effective == written)
