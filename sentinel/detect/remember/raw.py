"""The raw values that the state pass gives of each line: their names, and the columns that they stand in."""

from typing import NamedTuple

__all__ = ["COLUMN", "RAW", "RAW_INDEX", "Raw"]


class Raw(NamedTuple):
    """What the pass says of each line, in this order, each as the column it stands in: a new one goes to the end.

    Hits are lines taught before it; `…0 …1 …2` are counts decayed over 15, 180 and 1,800 s with the line itself;
    distinct counts are decayed over 600 s; gaps are seconds; windows are spans of 600 s in which there was anything,
    and in which the template was there; −1 = not applicable.
    """

    lines: int
    hits_template: int
    hits_source: int
    hits_template_source: int
    hits_level_source: int
    hits_after_source: int
    hits_before_source: int
    hits_after_session: int
    hits_before_session: int
    gap_template: int
    gap_source: int
    template0: int
    template1: int
    template2: int
    source0: int
    source1: int
    source2: int
    actor0: int
    actor1: int
    actor2: int
    pair0: int
    pair1: int
    pair2: int
    source_bad0: int
    source_bad1: int
    source_bad2: int
    all_bad0: int
    all_bad1: int
    all_bad2: int
    failures0: int
    failures1: int
    failures2: int
    source_failures0: int
    source_failures1: int
    source_failures2: int
    actor_templates: int
    actor_users: int
    actor_params: int
    user_actors: int
    template_actors: int
    template_users: int
    failing_actors: int
    failing_users: int
    new_address: int
    new_user: int
    new_pair: int
    burst_lines: int
    burst_s: int
    mean0: int
    mean1: int
    mean2: int
    mean3: int
    means_seen: int
    user_failures: int
    windows: int
    windows_template: int
    hits_probe: int
    guessed_users: int
    known_actor: int


COLUMN = Raw(*range(len(Raw._fields)))
RAW = Raw._fields
RAW_INDEX = COLUMN._asdict()
