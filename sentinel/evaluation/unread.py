"""Cases in words that the lexicon does not know: three tongues, three volumes, with and without attacks in the past."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sentinel.evaluation.case import Case, case_of_suite
from sentinel.simulate.unread import TONGUES, unread_suite

__all__ = ["unread_cases"]

START = datetime(2026, 11, 3, tzinfo=UTC)
VOLUMES = {"quiet": 4_000.0, "ordinary": 14_000.0, "busy": 44_000.0}  # lines a day


def unread_cases(seeds: range, *, taught: bool) -> Iterator[Case]:
    """Each volume once a seed, the tongues in turn."""
    for seed in seeds:
        for k, (volume, lines_a_day) in enumerate(VOLUMES.items()):
            name = list(TONGUES)[(seed + k) % len(TONGUES)]
            suite = unread_suite(seed=seed, tongue=TONGUES[name], lines_a_day=lines_a_day, start=START, taught=taught)
            group = "unread, attacks in the past" if taught else "unread, clean past"
            about = f"an application in a tongue that the lexicon does not know ({name}), {volume}"
            yield case_of_suite(
                f"{name}-{volume}{seed}{'t' * taught}", group, about, suite, split=START + timedelta(days=1)
            )
