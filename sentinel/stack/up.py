"""The stack from its first check to its last process: one home, one stack, ended by a signal."""

import logging
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from dotenv import dotenv_values

from sentinel.durable import make_private_dir
from sentinel.left_behind import COMMAND, left_behind
from sentinel.settings import ENV_FILE, Settings, overlooked
from sentinel.stack.lifeline import Lifeline
from sentinel.stack.place import Place, check_ports, find_place, hold
from sentinel.stack.prefect_key import keep_key, point_to
from sentinel.stack.supervisor import Stack, Stopped

__all__ = ["foreign_servers", "run_stack"]

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_stack(settings: Settings, *, sample: bool) -> int:
    """Run the stack of the checkout in the current folder until SIGINT or SIGTERM. Exit code 0 after an orderly stop.

    Raises SettingsError for a port that is taken, TransientError with the log's end for a part that does not start.
    """
    logging.getLogger("httpx").setLevel(logging.WARNING)
    place = find_place(settings, Path.cwd())
    lock = hold(place)
    try:
        check_ports(place)
        _prepare(place)
        if (advice := overlooked(settings)) is not None:
            _say(advice)
        if (what := left_behind(settings)) is not None:
            _say(f"{what}; `{COMMAND}` brings them there, each once")
        if sample and not place.is_own_folder:
            _say(f"no sample data: {place.watched} (LOG_SENTINEL_DIR) is yours")
        lifeline = Lifeline()
        stack = Stack(
            place,
            lifeline,
            environment=place.environment(os.environ),
            prefect_key=keep_key(place.profile),
            is_sample=sample and place.is_own_folder,
            say=_say,
        )
        try:
            _run(stack)
        finally:
            lifeline.close()
    finally:
        os.close(lock)
    return 0


def _prepare(place: Place) -> None:
    """Lay out what the children and `prefect` in this folder need, and say what they will not do."""
    if place.temporary.is_dir() and not place.temporary.is_symlink():
        shutil.rmtree(place.temporary)  # what a stack left that was killed
    make_private_dir(place.temporary)
    if place.pointer is None or not point_to(place.profile, place.pointer):
        _say(f"for `prefect` in this folder: export PREFECT_PROFILES_PATH={shlex.quote(str(place.profile))}")
    for line in foreign_servers(place.prefect_url, os.environ):
        _say(line)


def foreign_servers(own: str, environment: Mapping[str, str]) -> Iterator[str]:
    """What is to be said of PREFECT_API_URL where it names another server than our `own`."""
    exported = environment.get("PREFECT_API_URL") or own
    if exported.rstrip("/") != own:
        yield f"PREFECT_API_URL={exported} is not used: the stack has a Prefect server of its own, {own}"
    written = dotenv_values(ENV_FILE).get("PREFECT_API_URL") or own
    if written.rstrip("/") != own:
        yield (
            f"PREFECT_API_URL={written} in {ENV_FILE} is not used by the stack, but by `prefect` in this folder, which "
            f"reads {ENV_FILE} too: take it out there, the stack has a Prefect server of its own, {own}"
        )


def _run(stack: Stack) -> None:
    """Start, watch, and stop whatever has been started."""
    at_once = threading.Event()

    def on_signal(number: int, frame: object) -> None:
        if stack.stopping.is_set():
            at_once.set()
        stack.stopping.set()

    for number in STOP_SIGNALS:
        signal.signal(number, on_signal)
    try:
        stack.start()
        stack.watch()
    except Stopped:
        pass
    finally:
        stack.stop(at_once)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
