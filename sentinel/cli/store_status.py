"""`store`, `status`: the store's templates and retention, and everything in one view."""

import argparse
from datetime import UTC, datetime

import orjson

from sentinel.cli.commands import Run
from sentinel.cli.show import json_line, print_json, visible
from sentinel.settings import Settings

__all__ = ["status", "store"]


def store(command: argparse.ArgumentParser) -> Run:
    """Arguments of `store`."""
    command.add_argument("action", nargs="?", choices=["setup", "prune", "schema"], default="setup")
    command.add_argument("--json", action="store_true", help="print one JSON object, for schema one a template")
    return _store


def status(command: argparse.ArgumentParser) -> Run:
    """Arguments of `status`."""
    command.add_argument("--json", action="store_true", help="print one JSON object")
    return _status


def _store(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "schema":
        from sentinel.store import schema

        for template in (schema.events_template, schema.anomalies_template, schema.incidents_template):
            shape = template(settings.elastic_index)
            print(json_line(shape) if options.json else orjson.dumps(shape, option=orjson.OPT_INDENT_2).decode())
        return 0
    from sentinel.pipeline.retention import oldest_partition
    from sentinel.wiring import store_of

    store = store_of(settings)
    try:
        if options.action == "setup":
            done, nothing = store.setup(), "all is as it should be"
        else:
            before = oldest_partition(settings.elastic_index_period, settings.elastic_retention_days, datetime.now(UTC))
            done = store.prune(before) if before else []
            nothing = "nothing is old enough" if before else "ELASTIC_RETENTION_DAYS is 0: nothing is ever deleted"
    finally:
        store.close()
    if options.json:
        print_json({"changed" if options.action == "setup" else "deleted": done})
    else:
        print("\n".join(done) if done else nothing)
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.pipeline.overview import overview
    from sentinel.wiring import health_of, open_in_service, open_spool

    with open_spool(settings) as spool:
        view = overview(spool, lambda: open_in_service(settings), *health_of(settings))
    if options.json:
        print_json(view)
        return 0
    for title in ("ledger", "anomalies"):
        print(f"{title}: " + " ".join(f"{name}={count}" for name, count in view[title].items()))
    for name, reader in view["readers"].items():
        since_s = reader["failing_since_s"]
        since = f" since {datetime.fromtimestamp(since_s, UTC):%Y-%m-%d %H:%M:%S} UTC" if since_s else ""
        failing = f", failing{since}: {visible(reader['error'])}" if reader["error"] else ""
        print(f"reader {name}: at {reader['position']}, {reader['behind']} behind{failing}")
    model = view["model"]
    print(f"model: {model['version']}, confidence {model['confidence']}" if model else "model: none yet")
    print(f"store: {view['store']['detail']}" + ("" if view["store"]["reachable"] else " (not reachable)"))
    return 0
