"""Make up labelled logs: a fleet's normal life, attacks in many wordings, changes of regime; all from a seed."""

from sentinel.simulate.drift import change_regime, drifting_fleet
from sentinel.simulate.fleet import ALL_SERVICES, LINE_SCHEMA, fleet
from sentinel.simulate.inject import ATTACK_KINDS, EXPECTED_KINDS, Suite, inject
from sentinel.simulate.render import FORMATS, append_files, file_lines, write_lines
from sentinel.simulate.sample import SAMPLE_KINDS, sample_day

__all__ = [
    "ALL_SERVICES",
    "ATTACK_KINDS",
    "EXPECTED_KINDS",
    "FORMATS",
    "LINE_SCHEMA",
    "SAMPLE_KINDS",
    "Suite",
    "append_files",
    "change_regime",
    "drifting_fleet",
    "file_lines",
    "fleet",
    "inject",
    "sample_day",
    "write_lines",
]
