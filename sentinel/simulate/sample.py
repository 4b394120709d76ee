"""The sample day: a small fleet until now, with attacks in its last hours."""

from datetime import datetime, timedelta

from sentinel.simulate.fleet import fleet
from sentinel.simulate.inject import Suite, inject

__all__ = ["SAMPLE_KINDS", "sample_day"]

SAMPLE_KINDS = (
    "brute_force", "web_scan", "rate_spike", "new_error", "credential_stuffing", "privilege", "disk_full", "port_scan",
)  # fmt: skip
ATTACKED_S = 3 * 3600.0


def sample_day(*, seed: int, end: datetime, duration_s: float = 86_400.0) -> Suite:
    """The lines of a fleet in the `duration_s` before `end`, attacked in the last three hours (an eighth, if less)."""
    since = end - timedelta(seconds=min(ATTACKED_S, duration_s / 8))
    background = fleet(seed=seed, start=end - timedelta(seconds=duration_s), duration_s=duration_s)
    suite = inject(background, seed=seed, kinds=SAMPLE_KINDS, since=since, until=end)
    return Suite(suite.lines.filter(suite.lines["timestamp"] < end), suite.attacks)
