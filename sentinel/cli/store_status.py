"""`store`, `status`: the store's templates and retention, and everything in one view."""

import argparse
from datetime import UTC, datetime

import orjson

from sentinel.cli.run import Commands
from sentinel.cli.show import print_json, visible
from sentinel.pipeline.overview import overview
from sentinel.pipeline.retention import oldest_partition
from sentinel.settings import Settings
from sentinel.wiring import opened, store_of

__all__ = ["add_commands"]


def add_commands(commands: Commands) -> None:
    """Add the commands of this file."""
    store = commands.add_parser("store", help="the store: setup (if left out), prune, schema")
    store.add_argument("action", nargs="?", choices=["setup", "prune", "schema"], default="setup")
    store.set_defaults(run=_store)
    status = commands.add_parser("status", help="books, readers, model and store in one view")
    status.add_argument("--json", action="store_true", help="print one JSON object")
    status.set_defaults(run=_status)


def _store(options: argparse.Namespace, settings: Settings) -> int:
    if options.action == "schema":
        from sentinel.store import schema

        for template in (schema.events_template, schema.anomalies_template, schema.incidents_template):
            print(orjson.dumps(template(settings.elastic_index), option=orjson.OPT_INDENT_2).decode())
        return 0
    store = store_of(settings)
    try:
        if options.action == "setup":
            done = store.setup()
            print("\n".join(done) if done else "all is as it should be")
        else:
            before = oldest_partition(settings.elastic_index_period, settings.elastic_retention_days, datetime.now(UTC))
            print("\n".join(store.prune(before)) if before else "ELASTIC_RETENTION_DAYS is 0: nothing is ever deleted")
    finally:
        store.close()
    return 0


def _status(options: argparse.Namespace, settings: Settings) -> int:
    with opened(settings) as sentinel:
        view = overview(sentinel)
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
