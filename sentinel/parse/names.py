"""The names under which JSON and logfmt writers put time, level, message, source and host."""

from typing import Final

__all__ = ["FIELD_OF_NAME"]

_NAMES: Final = {
    "timestamp": "timestamp @timestamp time ts datetime date asctime event_time eventTime t __REALTIME_TIMESTAMP @t",
    "level": "level severity log.level loglevel log_level lvl levelname level_name severity_text severityText "
    "@level PRIORITY @l",
    "message": "message msg @message MESSAGE log text body event short_message @m",
    "source": "source logger service service.name logger_name loggerName log.logger program app application "
    "component appname app_name SYSLOG_IDENTIFIER event.dataset name",
    "host": "host hostname host.name _HOSTNAME host_name HOSTNAME",
}
FIELD_OF_NAME: Final[dict[str, tuple[str, int]]] = {
    name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names.split())
}
"""Name → (field, rank): of several names of one field in a document the lowest rank speaks, the others stay attributes.
Names with a dot are met in nested objects (ECS, OpenTelemetry) and as written."""
