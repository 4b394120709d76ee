"""`serve` and `up`: the commands that stay."""

import argparse
import os
import sys
from typing import TypeAlias

from sentinel.settings import Settings

__all__ = ["add_commands"]

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # argparse has no public name for it


def add_commands(commands: "Commands") -> None:
    """Add `up` and `serve`."""
    up = commands.add_parser("up", help="run everything: Prefect server, worker, deployments and the API")
    up.add_argument("--no-sample", action="store_true", help="leave out the sample fleet and its attack")
    up.set_defaults(run=_up)
    serve = commands.add_parser("serve", help="run the API alone")
    serve.set_defaults(run=_serve)


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    """Become the server: this process is replaced, so that no child outlives it."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "serving"])  # noqa: S606 our own module, no shell


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.stack import up

    return up(settings, sample=not options.no_sample)
