"""The table of commands: a line of help, an example that runs as it stands, and where the rest is; imports no room."""

import argparse
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sentinel.settings import Settings

__all__ = ["COMMANDS", "Command", "Run"]

Run: TypeAlias = "Callable[[argparse.Namespace, Settings], int]"
"""Options and settings in, an exit code out."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `fill` is `file:function` of this room: the function adds the arguments and returns what runs."""

    help: str
    example: str
    fill: str

    def load(self) -> Callable[[argparse.ArgumentParser], Run]:
        """The function that fills the command's parser; its file is imported by this."""
        file, name = self.fill.split(":")
        found: Callable[[argparse.ArgumentParser], Run] = getattr(importlib.import_module(f"sentinel.cli.{file}"), name)
        return found


COMMANDS = {
    "up": Command(
        "run everything: Prefect server, worker, deployments and the API", "sentinel up --no-sample", "run:up"
    ),
    "serve": Command("run the API alone", "sentinel serve", "run:serve"),
    "collect": Command(
        "read new lines of LOG_SENTINEL_DIR into the spool, each once",
        "sentinel collect /var/log/nginx '/var/log/auth.log*'",
        "data:collect_command",
    ),
    "load": Command(
        "deliver what waits in the spool to Elasticsearch (or Parquet)", "sentinel load --from-parquet", "data:load"
    ),
    "parse": Command(
        "show how the lines of a log file are read, without keeping them",
        "sentinel parse --json /var/log/syslog",
        "parse:parse",
    ),
    "scan": Command(
        "explain what is strange in raw log files, with nothing set up and nothing kept",
        "sentinel scan today.log --baseline yesterday.log --html report.html",
        "scan:scan_command",
    ),
    "train": Command(
        "learn what is normal, from a file or from the store",
        "sentinel train --since 2026-11-01",
        "model:train_command",
    ),
    "score": Command(
        "score a file of lines, or what the store holds unscored",
        "sentinel score --file lines.ndjson --out verdicts.ndjson",
        "model:score",
    ),
    "predict": Command(
        "the verdict on one line, against the saved state",
        "sentinel predict 'Failed password for root from 203.0.113.9' --source sshd",
        "model:predict",
    ),
    "incidents": Command(
        "what is wrong: a table, or one of them with all about it",
        "sentinel incidents --since 1h --severity high",
        "incidents:incidents",
    ),
    "feedback": Command(
        "say what an incident or an anomaly was; `list`, or `undo ID`",
        "sentinel feedback 9f2c66a1d0b34e57 false_alarm --until 7d --note 'a drill'",
        "words:feedback",
    ),
    "mute": Command(
        "keep an incident, or a template's text, quiet for a time",
        "sentinel mute 9f2c66a1d0b34e57 --for 7d",
        "words:mute",
    ),
    "threshold": Command(
        "how loud it is; set it by nats or by a budget of incidents a day",
        "sentinel threshold --alerts-per-day 5 --source sshd",
        "words:threshold_command",
    ),
    "alert": Command("tell every address that this is a test", "sentinel alert test", "alert:alert"),
    "evaluate": Command(
        "run the table of figures: our detector beside the usual ones",
        "sentinel evaluate --quick",
        "evaluate:evaluate_command",
    ),
    "simulate": Command(
        "write made-up logs with attacks and their ground truth",
        "sentinel simulate --out day.log --hours 24 --attacks brute_force",
        "simulate:simulate",
    ),
    "spool": Command(
        "what the spool holds: list, show, verify, repair, export", "sentinel spool show 17", "spool:spool"
    ),
    "dead-letters": Command(
        "records that cannot be delivered: list, show, replay, drop",
        "sentinel dead-letters replay --all",
        "dead_letters:letters",
    ),
    "store": Command("the store: setup (if left out), prune, schema", "sentinel store schema", "store_status:store"),
    "models": Command(
        "list the models, put one in service, keep one",
        "sentinel models promote 20261123T210501-9f2c66",
        "model:models",
    ),
    "status": Command("books, readers, model and store in one view", "sentinel status --json", "store_status:status"),
    "doctor": Command(
        "say in plain words what is wrong and what to do; exit 1 if anything is", "sentinel doctor", "doctor:doctor"
    ),
    "completion": Command(
        "print what lets a shell complete commands and options: bash, zsh or fish",
        "sentinel completion bash",
        "completion:completion",
    ),
}
