"""The two kinds of failure: those that a repeat may cure and those that it never will.

SentinelError
├── TransientError     the same call may work later: keep the work and come back
└── TerminalError      the same call will never work: say why, go on without it
    ├── SettingsError  a setting is missing or unusable
    ├── NoModelError   nothing has been trained yet
    └── ArtifactError  a model's files are damaged or foreign
        └── OutdatedModelError  they are whole and ours, but of a release that reads them otherwise

SpoolFullError is transient: the spool has reached its bound and takes nothing more for now.
"""

from sentinel import secrecy

__all__ = [
    "ArtifactError",
    "NoModelError",
    "OutdatedModelError",
    "SentinelError",
    "SettingsError",
    "SpoolFullError",
    "TerminalError",
    "TransientError",
]


class SentinelError(Exception):
    """Anything that Log Sentinel raises on purpose; the message names step, object, cause and the next move.

    It may quote what a library says, so the secrets of the settings are blotted out of it.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(secrecy.blot(arg) if isinstance(arg, str) else arg for arg in args))


class TransientError(SentinelError):
    """The same call may work later."""


class TerminalError(SentinelError):
    """The same call will never work."""


class SettingsError(TerminalError):
    """A setting is missing or unusable."""


class NoModelError(TerminalError):
    """There is no champion yet, so nothing can be scored."""


class ArtifactError(TerminalError):
    """A model's files are damaged, foreign, or made for other features."""


class OutdatedModelError(ArtifactError):
    """A model is whole and signed by our key, but another release made it: only learning anew helps."""


class SpoolFullError(TransientError):
    """The spool has reached its bound; the caller should wait `retry_after_s` seconds and offer the records again."""

    def __init__(self, message: str, retry_after_s: float = 5.0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
