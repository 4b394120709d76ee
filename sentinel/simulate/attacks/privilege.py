"""Privileges taken: somebody who never had them gets them, in two lines."""

import random

from sentinel.simulate.attacks.attack import Attack
from sentinel.simulate.attacks.stage import STAGE_HOST, Stage
from sentinel.simulate.clock import Span
from sentinel.simulate.wordings import read_wordings

__all__ = ["privilege"]

SERVANTS = ("www-data", "nobody", "postgres", "tomcat", "ftp", "nginx", "jenkins", "backup-ro")
NAMES = ("svc0", "toor", "sysd", "helpdesk2", "adm1n", "telemetryd", "mailnull2", "update")


def privilege(rng: random.Random, at_s: float, stage: Stage) -> Attack:
    """Two lines, a few seconds apart, in one of many systems' words."""
    wording = rng.choice(read_wordings("privileges"))
    who, new = rng.choice(SERVANTS), rng.choice(NAMES)
    late_s = at_s + rng.uniform(0.5, 9.0)
    rows = tuple(
        (moment_s, wording.level, wording.source, STAGE_HOST, text.format(who=who, new=new))
        for moment_s, text in zip((at_s, late_s), wording.texts, strict=True)
    )
    return Attack("privilege", wording.name, who, wording.source, Span(at_s, late_s), rows)
