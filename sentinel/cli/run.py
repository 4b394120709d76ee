"""`serve` and `up`: the commands that stay."""

import argparse
import os
import sys

from sentinel.cli.commands import Run
from sentinel.settings import Settings

__all__ = ["serve", "up"]


def up(command: argparse.ArgumentParser) -> Run:
    """Arguments of `up`."""
    command.add_argument("--no-sample", action="store_true", help="leave out the sample fleet and its attack")
    return _up


def serve(command: argparse.ArgumentParser) -> Run:
    """Arguments of `serve`: none."""
    return _serve


def _serve(options: argparse.Namespace, settings: Settings) -> int:
    """Become the server: this process is replaced, so that no child outlives it."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "serving"])  # noqa: S606 our own module, no shell


def _up(options: argparse.Namespace, settings: Settings) -> int:
    from sentinel.stack import up as run_all

    return run_all(settings, sample=not options.no_sample)
