"""The alert reader: tells people of incidents as they begin, grow and end, in a thread of its own."""

import time

from sentinel.pipeline.alerts import Alerter
from serving.repeat import Repeater

__all__ = ["AlertReader"]

IDLE_S = 1.0


class AlertReader:
    """Moves the alerter. An address that does not answer holds up nothing but other messages."""

    def __init__(self, alerter: Alerter) -> None:
        self._alerter = alerter
        self._repeater = Repeater("alert", self.turn)
        self.told = 0

    def start(self) -> None:
        """Begin to tell, where anybody is to be told."""
        if self._alerter.rules.routes:
            self._repeater.start()

    def stop(self) -> None:
        """Finish the message under way."""
        self._repeater.stop()

    @property
    def state(self) -> str:
        """What it does, in a word: `off` (nobody is to be told), `telling`, `waiting` (for an address), `stopped`."""
        if not self._alerter.rules.routes:
            return "off"
        if not self._repeater.is_running:
            return "stopped"
        return "waiting" if self.error is not None else "telling"

    @property
    def error(self) -> str | None:
        """Why the last message was not taken; None when it was."""
        return self._repeater.error or self._alerter.error

    def turn(self) -> float:
        """One round; seconds until the next."""
        self.told += self._alerter.round(time.time())
        return IDLE_S
