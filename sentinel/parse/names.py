"""The names under which JSON and logfmt writers put time, level, message, source and host, in whatever case."""

from functools import lru_cache
from typing import Any, Final, TypeAlias

__all__ = ["WEAK_TIMES", "Found", "place"]

Found: TypeAlias = list[tuple[int, str, str, Any]]
"""Rank, name, plain form and value of all that stands under the names of one field."""

_NAMES: Final = {
    "timestamp": "eventsystemtimecreatedattributessystemtime eventsystemtimecreatedsystemtime timestamp "
    "@timestamp time ts datetime eventtimestamp timestampseconds instantepochsecond t "
    "t$date timestamp$date $date timeiso8601 "
    "asctime timemillis instant eventtime realtimetimestamp timegenerated eventcreated stagetimestamp "
    "requestreceivedtimestamp starttime startutc startlocal timelocal timeunixnano logtimestamp logtime systemtime "
    "timecreated timecreatedsystemtime timestampms timems unixtime epoch eventtimeutc recordtime createdat "
    "creationtime "
    "date observedtimestamp observedtimeunixnano receivetimestamp lasttimestamp firsttimestamp created "
    "published dt when timetimestamp timerepr systemtimecreatedsystemtime",
    "nanos": "timestampnanos instantnanoofsecond",
    "zone": "tz timezone",
    "level": "eventsystemlevel level severity loglevel lvl levelname severitytext l severitylabel errorseverity "
    "syslogseverity priority "
    "leveldisplayname "
    "syslogseverityname errorlevel severitynumber levelno levelvalue s eventtype status",
    "message": "message msg log text body renderedmessage event shortmessage m logmessage fieldsmessage textpayload "
    "jsonpayloadmessage fieldsmsg bodystringvalue eventmessage messagetemplate mt fullmessage alertsignature "
    "eventdatamessage "
    "description eventoriginal",
    "source": "eventsystemproviderattributesname eventsystemprovidername source logger loggername service "
    "servicename sourcecontext propertiessourcecontext logname component "
    "program category channel target application app appname programname syslogidentifier sourcename providername "
    "systemproviderattributesname eventdataset devname loggerfqcn subsystem facility name c tag "
    "kubernetescontainername "
    "kubernetescontainer containername resourcelabelscontainername systemdunit comm class module",
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
        "when timetimestamp timerepr systemtimecreatedsystemtime",
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
    "log.",
)
"""Objects that a writer puts all of its fields into."""
_INSIDE: Final = 1000
_TIMELY: Final = ("timestamp", "datetime")
"""Ends of names that hold a time, where no better one does."""


@lru_cache(maxsize=8192)
def place(name: str) -> tuple[str, int, str] | None:
    """Field, rank and plain form of a name, dots of nested objects in it; None where it names none of ours.

    Of several names of one field in a document the lowest rank speaks, the others stay attributes.
    """
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
