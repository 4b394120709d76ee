"""`alert test`: one message to every address, to see that they come through."""

import argparse
from datetime import UTC, datetime

from sentinel.cli.commands import Run
from sentinel.cli.show import print_json, print_table
from sentinel.errors import TransientError
from sentinel.settings import Settings

__all__ = ["alert"]


def alert(command: argparse.ArgumentParser) -> Run:
    """Arguments of `alert`."""
    command.add_argument("action", choices=["test"])
    command.add_argument("--json", action="store_true", help="one JSON object an address")
    return _alert


def _alert(options: argparse.Namespace, settings: Settings) -> int:
    """Exit code 1 where an address did not take it, or nobody is to be told."""
    from sentinel.alert import send, shown_address
    from sentinel.pipeline.alerts import trial_notice
    from sentinel.wiring import rules_of

    rows = []
    urls = dict.fromkeys(url for route in rules_of(settings).routes for url in route.urls)
    for url in urls:
        try:
            send(url, trial_notice(settings.log_sentinel_url, datetime.now(UTC)))
            rows.append({"address": shown_address(url), "taken": True, "why": None})
        except TransientError as exc:
            rows.append({"address": shown_address(url), "taken": False, "why": str(exc)})
    if options.json:
        for row in rows:
            print_json(row)
    else:
        print_table(rows)
    if not rows:
        print("nobody is to be told: set LOG_SENTINEL_ALERT_URLS, or routes in LOG_SENTINEL_ALERTS")
    return int(not rows or not all(row["taken"] for row in rows))
