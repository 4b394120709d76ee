"""What a line reads as, in bits, and how loud its program calls it: the numbers that kernels and plain code share."""

from enum import IntEnum

__all__ = ["TROUBLE", "Flag", "Level"]


class Flag(IntEnum):
    """A bit a meaning; a line has any of them. The first nine are the lexicon's, the last three are learnt."""

    BAD = 1 << 0
    """A failure."""
    SENSITIVE = 1 << 1
    """Privileges, log-ins, system files."""
    AUTH_FAILURE = 1 << 2
    """A failed log-in."""
    ACCEPTED = 1 << 3
    """A log-in that worked."""
    PROBE = 1 << 4
    """A text that probing or tampering leaves."""
    CONNECT = 1 << 5
    """Somebody comes to the door of a service that people log in to."""
    CLIENT_ERROR = 1 << 6
    """A request refused as wrong."""
    FILTERED = 1 << 7
    """A firewall turned a packet or connection away."""
    GRAVE = 1 << 8
    """A crash, damage, or something that ran out."""
    USUAL = 1 << 9
    """What many visits show, whatever its words."""
    SLIP = 1 << 10
    """What a visit shows at most a few times before it comes to what is usual, as a mistyped password."""
    LOST = 1 << 11
    """What it shows as seldom amid the usual, as a dead link."""


class Level(IntEnum):
    """How loud a line is by its own program; what names no level is INFO."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3
    FATAL = 4


TROUBLE = Flag.BAD | Flag.AUTH_FAILURE | Flag.PROBE
"""Lines that have one of these bits are trouble: floods of them pay for no volume, and are got used to slowly."""
