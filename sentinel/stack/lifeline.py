"""A process that outlives the supervisor by seconds, to end what a killed supervisor could not.

It holds the reading end of a pipe and a list of process groups. When the writing end closes, by whatever death, it ends
the groups: the children, and what they started (flow runs, a training).
"""

import os
import signal
import time
from contextlib import suppress

__all__ = ["Lifeline", "is_group_alive", "kill_group"]

GRACE_S = 5.0
STEP_S = 0.05


def kill_group(group: int, number: signal.Signals) -> None:
    """Send a signal to a process group; harmless when nobody is left there."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def is_group_alive(group: int) -> bool:
    """Whether a process of this group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Lifeline:
    """The supervisor's side. To be made before there are threads."""

    def __init__(self) -> None:
        reading, self._writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                os.close(self._writing)
                _guard(reading)
            finally:
                os._exit(0)
        os.close(reading)

    def add(self, group: int) -> None:
        """From now on this group ends with us."""
        os.write(self._writing, b"+%d\n" % group)

    def remove(self, group: int) -> None:
        """Nobody is left in this group; its number may be given to others."""
        os.write(self._writing, b"-%d\n" % group)

    def close(self) -> None:
        """End what is left of the groups, and the guard itself."""
        os.close(self._writing)
        with suppress(ChildProcessError):
            os.waitpid(self._pid, 0)


def _guard(reading: int) -> None:
    """Wait for the supervisor's end, then end its groups."""
    os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.closerange(3, reading)
    os.closerange(reading + 1, 1024)
    groups: set[int] = set()
    pending = b""
    while data := os.read(reading, 4096):
        *lines, pending = (pending + data).split(b"\n")
        for line in lines:
            group = int(line[1:])
            groups = groups | {group} if line.startswith(b"+") else groups - {group}
    for group in groups:
        kill_group(group, signal.SIGTERM)
    until_s = time.monotonic() + GRACE_S
    while time.monotonic() < until_s and any(map(is_group_alive, groups)):
        time.sleep(STEP_S)
    for group in groups:
        kill_group(group, signal.SIGKILL)
