"""The server's own log: one line an event on standard error, key=value, control characters escaped (FAULTS X6)."""

import logging
import logging.config
import re
from typing import Any

__all__ = ["OneLineFormatter", "configure"]

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class OneLineFormatter(logging.Formatter):
    """A message stays on its line, whatever stands in it; only a traceback of ours takes more lines."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole; a traceback that was written before (secrets are blotted out of it) is escaped, too."""
        if record.exc_text:
            record.exc_text = "\n".join(_escaped(line) for line in record.exc_text.split("\n"))
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 logging's name
        """The line with control characters as escapes."""
        return _escaped(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 logging's name
        """A traceback, each of its lines with control characters as escapes."""
        return "\n".join(_escaped(line) for line in super().formatException(ei).split("\n"))


def _escaped(text: str) -> str:
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def configure(level: str) -> None:
    """Log to standard error from `level` on; libraries from WARNING on, those whose troubles we tell from ERROR on."""
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "line": {"()": OneLineFormatter, "format": "%(asctime)s %(levelname)s %(name)s %(message)s"}
            },
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"handlers": ["stderr"], "level": "WARNING"},
            "loggers": {
                **{ours: {"level": level} for ours in ("sentinel", "serving")},
                **{told_by_us: {"level": "ERROR"} for told_by_us in ("uvicorn", "elastic_transport")},
            },
        }
    )
