"""The stack from its first check to its last process: one home, one stack, ended by a signal."""

import logging
import os
import signal
import sys
import threading
from pathlib import Path

from sentinel.settings import Settings
from sentinel.stack.lifeline import Lifeline
from sentinel.stack.place import check_ports, find_place, hold
from sentinel.stack.supervisor import Stack, Stopped

__all__ = ["run_stack"]

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
        if sample and not place.is_own_folder:
            _say(f"no sample data: {place.watched} (LOG_SENTINEL_DIR) is yours")
        lifeline = Lifeline()
        stack = Stack(
            place,
            lifeline,
            environment=place.environment(os.environ),
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
