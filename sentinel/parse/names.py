"""The names under which JSON and logfmt writers put time, level, message, source and host, in whatever case."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

__all__ = ["WEAK_TIMES", "Found", "Shape", "is_protocol", "place", "shape_of"]

Found: TypeAlias = list[tuple[int, str, str, Any]]
"""Rank, name, plain form and value of all that stands under the names of one field."""

_NAMES: Final = {
    "timestamp": "eventsystemtimecreatedattributessystemtime eventsystemtimecreatedsystemtime timestamp "
    "@timestamp time ts logtime datetime eventtimestamp timestampseconds instantepochsecond t "
    "t$date timestamp$date $date timeiso8601 "
    "asctime timemillis instant eventtime realtimetimestamp timegenerated eventcreated stagetimestamp "
    "requestreceivedtimestamp datetimedate starttime startutc startlocal timelocal timeunixnano logtimestamp systemtime "
    "timecreated timecreatedsystemtime timestampms timems unixtime epoch eventtimeutc recordtime createdat "
    "creationtime timeunix epochsecond epochseconds epochmillis epochms msec "
    "date observedtimestamp observedtimeunixnano receivetimestamp lasttimestamp firsttimestamp created "
    "published dt when timetimestamp timerepr systemtimecreatedsystemtime",
    "nanos": "timestampnanos instantnanoofsecond",
    "zone": "tz timezone datetimetimezone",
    "level": "eventsystemlevel level severity loglevel loglevelname contextloglevel fieldslevel lvl levelname severitytext l severitylabel errorseverity "
    "syslogseverity priority "
    "leveldisplayname sev pri severitylevel priorityname "
    "syslogseverityname syslogseveritycode errorlevel severitynumber levelno levelvalue levellevelstr s eventtype status label",
    "message": "message msg log text body renderedmessage event shortmessage m logmessage fieldsmessage textpayload "
    "jsonpayloadmessage fieldsmsg logformat bodystringvalue eventmessage messagetemplate mt fullmessage alertsignature "
    "eventdatamessage "
    "description eventoriginal messagetext messagemessage messagestring errormessage errmessage errormsg errmsg displaymessage resultdescription output data",
    "source": "eventsystemproviderattributesname eventsystemprovidername source logger loggername "
    "jsonpayloadlogger resourcelabelscontainername resourcelabelsservicename resourcelabelsfunctionname "
    "loglogger lognamespace service "
    "servicename resourceservicename resourceattributesservicename sourcecontext propertiessourcecontext logname component "
    "program category channel target application app appname programname syslogidentifier sourcename providername "
    "systemproviderattributesname eventdataset devname loggerfqcn subsystem facility categoryname name n c tag "
    "kubernetescontainername "
    "kubernetescontainer containername systemdunit comm class module",
    "host": "eventsystemcomputer host hostname computer computername machinename nodename kuberneteshost "
    "kubernetesnodename "
    "winlogcomputername "
    "systemcomputer resourceattributeshostname",
}
_PLACES: Final = {name: (field, rank) for field, names in _NAMES.items() for rank, name in enumerate(names.split())}
WEAK_TIMES: Final = frozenset(
    {
        "t",
        "date",
        "created",
        "dt",
        "when",
        "time",
        "starttime",
        "epoch",
        "published",
    }
)
"""Names that hold a time, or something else: a duration, a name."""
_DROPPED: Final = str.maketrans("", "", "@_-. #")
_WRAPPERS: Final = (
    "record.",
    "jsonpayload.",
    "fields.",
    "winlog.",
    "event.system.",
    "event.",
    "logevent.",
    "payload.",
    "properties.",
    "log.",
)
"""Objects that a writer puts all of its fields into."""
_INSIDE: Final = 1000
_MAX_REMEMBERED: Final = 1024
"""Characters of a name, or of all names of a document, that are kept for the next one."""
_TIMELY: Final = ("timestamp", "datetime")
"""Ends of names that hold a time, where no better one does."""


_MAX_SHAPES: Final = 1024


class Shape(NamedTuple):
    """Where the fields stand in all documents with the same names: (name, plain form), None for a field without one."""

    timestamp: str | None
    message: str
    level: tuple[str | None, str]
    source: tuple[str | None, str]
    host: tuple[str | None, str]
    others: tuple[str, ...]


_SHAPES: dict[tuple[str, ...], Shape | None] = {}


def shape_of(names: tuple[str, ...]) -> Shape | None:
    """The shape of documents with these names; None where names compete for a field, or a time has several parts."""
    try:
        return _SHAPES[names]
    except KeyError:
        shape = _shape_of(names)
    if sum(map(len, names)) <= _MAX_REMEMBERED:
        if len(_SHAPES) >= _MAX_SHAPES:
            _SHAPES.clear()
        _SHAPES[names] = shape
    return shape


def _shape_of(names: tuple[str, ...]) -> Shape | None:
    found: dict[str, tuple[str, str]] = {}
    others = []
    for name in names:
        known = None if is_protocol(name, names) else place(name)
        if known is None:
            others.append(name)
        elif known[0] in ("zone", "nanos") or found.setdefault(known[0], (name, known[2]))[0] != name:
            return None
    if "message" not in found:
        return None
    missing = (None, "")
    level, source, host = (found.get(field, missing) for field in ("level", "source", "host"))
    return Shape(found.get("timestamp", missing)[0], found["message"][0], level, source, host, tuple(others))


def is_protocol(name: str, names: Collection[Any]) -> bool:
    """Whether a name that is a source elsewhere is none beside these: Zeek's `service` is what a connection speaks."""
    return name == "service" and "id.orig_h" in names


def place(name: str) -> tuple[str, int, str] | None:
    """Field, rank and plain form of a name, dots of nested objects in it; None where it names none of ours.

    Of several names of one field in a document the lowest rank speaks, the others stay attributes.
    """
    return _place(name) if len(name) <= _MAX_REMEMBERED else None


@lru_cache(maxsize=8192)
def _place(name: str) -> tuple[str, int, str] | None:
    low = name.lower()
    plain = low.translate(_DROPPED)
    found = _PLACES.get(plain)
    if found is None and plain.endswith(_TIMELY):
        return "timestamp", 2 * _INSIDE, plain
    if found is None:
        wrapper = next((wrapper for wrapper in _WRAPPERS if low.startswith(wrapper)), None)
        plain = low.removeprefix(wrapper).translate(_DROPPED) if wrapper else ""
        inner = _PLACES.get(plain)
        if inner is None or wrapper is None:
            return None
        found = inner[0], inner[1] + (-_INSIDE if wrapper == "record." else _INSIDE)  # Loguru's `text` is all of it
    return (*found, plain)
