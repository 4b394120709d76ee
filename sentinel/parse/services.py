"""Formats of services, routers and storage, each told by a mark of its own: behind a time, or whole."""

from typing import Final

import polars as pl

from sentinel.parse import levels, stamps
from sentinel.parse.rules import DIGITS, LETTERS, Rule

__all__ = ["AFTER_TIME", "BARE_RULES", "RULES"]

_UP: Final = rf"(?P<level>{levels.UPPER_LEVEL})"
_OF_POSTGRES: Final = r"(?P<level>DEBUG[1-5]?|INFO|NOTICE|WARNING|ERROR|LOG|FATAL|PANIC): {1,2}"
_ROUTING: Final = (
    "ZEBRA|RIP|RIPNG|OSPF|OSPF6|LDP|BGP|ISIS|PIM|PIM6|MGMTD|STATIC|BFD|EIGRP|NHRP|BABEL|SHARP|FABRICD|VRRP|PBR|PATH|"
    "WATCHFRR|VTYSH"
)
_OF_ROUTING: Final = {
    "emergencies": "fatal", "alerts": "fatal", "critical": "fatal", "errors": "error", "warnings": "warn",
    "notifications": "info", "informational": "info", "debugging": "debug",
}  # fmt: skip
"""What FRR writes for a priority where it is told to: https://docs.frrouting.org/en/latest/basic.html"""
_OF_NETBACKUP: Final = {"2": "debug", "4": "info", "8": "warn", "16": "error", "32": "fatal"}
"""Its severities are powers of two: Veritas NetBackup Logging Reference Guide, "About legacy logging"."""
_OF_PYTHON: Final = {"10": "debug", "20": "info", "30": "warn", "40": "error", "50": "fatal"}
_OF_PROCURVE: Final = {"I": "info", "W": "warn", "M": "error", "D": "debug", "E": "error"}
"""An M is a major event: https://www.hpe.com, "ProCurve switches, event log message reference"."""
_OF_VMWARE: Final = {"I": "info", "W": "warn", "E": "error", "A": "fatal", "V": "trace", "D": "debug"}


def _of_tibco(groups: pl.DataFrame) -> pl.DataFrame:
    """A time with its day before its month, and its fraction behind a point."""
    plain = groups["written"].str.replace(
        r"^(....) (...) (..) (.{8}):(...) GMT ([+-][0-9]+)$", "${3} ${2} ${1} ${4}.${5} UTC${6}"
    )
    return groups.with_columns(plain.alias("written"))


AFTER_TIME: Final = (
    Rule(  # https://docs.frrouting.org: a daemon, the mark of a message, the number of an error
        "frr",
        rf"^(?P<head>(?:(?P<priority>[a-z]+): )?(?P<source>{_ROUTING}): "
        r"(?:\[(?P<code>[A-Z0-9]{5}-[A-Z0-9]{5})\] ?)?(?:\[EC (?P<error>[0-9]+)\] )?)",
        "ZROLBIPMSEFNVW" + "eacwnid",
        finish=levels.from_table("priority", _OF_ROUTING),
    ),
    Rule(  # https://www.pgpool.net: `%t: pid %p: `, and with the name of the process
        "pgpool",
        rf"^(?P<head>(?:(?P<source>[a-zA-Z_][A-Za-z0-9_() -]{{0,40}}?) )?pid (?P<pid>[0-9]+): {_OF_POSTGRES})",
        LETTERS.lower() + "_[",
        source="pgpool",
    ),
    Rule("netbackup", r"^(?P<head>\[(?P<pid>[0-9]+)\.(?P<thread>[0-9]+)\] <(?P<severity>2|4|8|16|32)> )", "[",
         finish=levels.from_table("severity", _OF_NETBACKUP)),
    Rule(  # Brocade's RASlog: a message's number, a count, flags, a level, a switch
        "raslog",
        r"^(?P<head>\[(?P<source>[A-Z][A-Z0-9]*)-(?P<code>[0-9]{4})\], (?P<serial>[0-9/-]+),(?P<flags>[^,]*), "
        rf"{_UP}, (?P<host>[^ ,]+), *)",
        "[",
    ),
    Rule(  # Windows Update's columns: process, thread, component, in 16 characters
        "windows-update",
        r"^(?P<head>(?P<pid>[0-9]+) {2,}(?P<thread>[0-9]+) {2,}(?P<source>[A-Z][A-Za-z]{2,14}) +)",
        DIGITS,
    ),
    Rule(  # https://docs.pingcap.com/tidb: level and place in code; what happened may stand in brackets, too
        "tidb",
        rf"^(?P<head>\[{_UP}\] \[(?P<source>[A-Za-z0-9_./-]+\.(?:go|rs|cpp|cc)):(?P<line>[0-9]+)\] )\[",
        "[",
    ),
    Rule(  # Checkmk: Python's number, and a logger that may have its process beside it
        "checkmk",
        r"^(?P<head>\[(?P<number>[1-5]0)\] \[(?P<source>[A-Za-z][A-Za-z0-9_.-]*)(?: (?P<pid>[0-9]+))?\] )",
        "[",
        finish=levels.from_table("number", _OF_PYTHON),
    ),
    Rule(  # ONTAP's event management: node, perhaps a process, the event's name, its severity
        "ontap",
        r"^(?P<head>\[(?P<host>[A-Za-z0-9_.-]+):(?: ?(?P<process>[A-Za-z0-9_.-]+):)? ?(?P<source>[A-Za-z0-9_.-]+):"
        r"(?P<level>emergency|alert|critical|error|warning|notice|informational|info|debug)\]:? )",
        "[",
    ),
    Rule(  # https://prosody.im: who speaks and its level between tabs
        "prosody", r"^(?P<head>(?P<source>[A-Za-z][A-Za-z0-9_.:-]*)\t(?P<level>debug|info|warn|error)\t)", LETTERS
    ),
    Rule(  # https://docs.duplicati.com: level, class and the name of a message
        "duplicati",
        r"^(?P<head>- \[(?P<level>Information|Warning|Error|Verbose|Profiling|Retry|DryRun)-"
        r"(?P<source>[A-Za-z0-9_.`]+)-(?P<code>[A-Za-z0-9_]+)\]: )",
        "-",
    ),
    Rule(  # macOS' launchd: a service, its process, a level
        "launchd",
        r"^(?P<head>\((?P<source>[^ ()]+)(?: \[(?P<pid>[0-9]+)\])?\)(?: <(?P<level>[A-Z][a-z]+)>)?: )",
        "(",
    ),
    Rule(  # vCenter before its version 6
        "vmware-elder",
        r"^(?P<head>\[(?P<thread>[0-9A-F]{5,16}) (?P<level>[a-z]+) '(?P<source>[^']*)'"
        r"(?: opID=(?P<operation>[^\]]*))?\] )",
        "[",
    ),
    Rule(  # Storm: the logger, a thread, a level
        "storm",
        r"^(?P<head>(?P<source>[a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+) (?P<thread>[^ \[\]]+(?:\[[0-9 ,]+\])?) "
        rf"\[{_UP}\] )",
        LETTERS.lower(),
    ),
)  # fmt: skip
RULES: Final = (
    Rule(  # GlobalProtect's service: process and thread, level and line, the time
        "globalprotect",
        rf"^(?P<head>\(P(?P<pid>[0-9]+)-T(?P<thread>[0-9]+)\)(?P<level>[A-Z][a-z]+) *\( *(?P<line>[0-9]+)\): "
        rf"{stamps.LAYOUTS['month-first-short']} )",
        "(",
    ),
    Rule(  # the same of its agent, which has the time first
        "globalprotect",
        rf"^(?P<head>\((?:P(?P<pid>[0-9]+)-)?T(?P<thread>[0-9]+)\){stamps.LAYOUTS['month-first-short']} "
        r"(?P<level>[A-Z][a-z]+) *\( *(?P<line>[0-9]+)\): )",
        "(",
    ),
    Rule(  # https://motion-project.github.io: thread, level and kind before the time
        "motion",
        rf"^(?P<head>\[(?P<thread>[0-9]+:[^\]]*)\] \[(?P<level>[A-Z]{{3}})\] \[(?P<kind>[A-Z]{{3}})\] "
        rf"\[{stamps.MONTH_DAY}\] )",
        "[",
    ),
    Rule(  # AnyDesk: a level, process and thread between columns of blanks, who speaks
        "anydesk",
        rf"^(?P<head> *(?P<level>[a-z]+) {stamps.YEAR_FIRST} +(?P<process>[A-Za-z0-9_]+) +(?P<pid>[0-9]+) +"
        r"(?P<thread>[0-9]+) +(?:[0-9]+ +)?(?P<source>[a-z][A-Za-z0-9_.]*) - )",
        " " + LETTERS,
    ),
    Rule(  # https://homebridge.io: the locale's time, a plug-in that may have blanks in its name
        "homebridge",
        rf"^(?P<head>\[{stamps.LAYOUTS['month-first']}\] \[(?P<source>[A-Z][^\[\]]{{1,40}})\] )",
        "[",
    ),
    Rule(  # a virtual machine's vmware.log: a thread, and a letter with a number
        "vmware",
        rf"^(?P<head>{stamps.RFC3339}\| "
        r"(?P<source>[a-zA-Z][^|]{0,39})\| (?:(?P<mark>[IWEAVD])[0-9]{3}(?:[+-][^:]*)?: ?)?)",
        DIGITS,
        fifth="-",
        finish=levels.from_table("mark", _OF_VMWARE),
    ),
    Rule(  # NetScaler (Citrix ADC): engine, partition, feature, event, a count
        "netscaler",
        rf"^(?P<head>{stamps.LAYOUTS['month-first']} +(?P<host>[^ ]+) (?P<engine>[0-9]+-PPE-[0-9]+) : "
        r"(?P<partition>[^ ]+) (?P<source>[A-Z]+) (?P<event>[A-Za-z_]+) (?P<serial>[0-9]+) [0-9]+ : *)",
        DIGITS,
    ),
    Rule(  # ProCurve and ArubaOS-S: a letter, the number of a message, who speaks
        "procurve",
        rf"^(?P<head>(?P<mark>[IWMDE]) {stamps.LAYOUTS['month-first-short']} (?P<code>[0-9]{{5}}) "
        r"(?P<source>[A-Za-z][^ :]*): +)",
        "IWMDE",
        finish=levels.from_table("mark", _OF_PROCURVE),
    ),
    Rule(  # ExtremeXOS: a severity in four letters and a component
        "exos",
        rf"^(?P<head>{stamps.LAYOUTS['month-first']} "
        r"<(?P<level>Crit|Erro|Warn|Noti|Info|Debu|Verb)[a-z]*:(?P<source>[A-Za-z0-9_.]+)> )",
        DIGITS,
    ),
    Rule(  # Suricata writes the day first: src/util-debug.c
        "suricata",
        r"^(?P<head>(?P<stamp>(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<Y>[0-9]{4}) -- (?P<H>[0-9]{2}):(?P<M>[0-9]{2}):"
        r"(?P<S>[0-9]{2})) - (?:\([^)]*\) - )?<(?P<level>[A-Z][a-z]+)> (?:-- |- ))",
        DIGITS,
    ),
    Rule(  # TIBCO BusinessWorks: engine, role, category
        "tibco",
        r"^(?P<head>(?P<written>[0-9]{4} [A-Z][a-z]{2} [0-9]{2} [0-9:]{12} GMT [+-][0-9]{1,2}) (?P<engine>[^ ]+) "
        r"(?P<level>[A-Z][a-z]+) +\[(?P<source>[^\]]+)\] )",
        DIGITS,
        fifth=" ",
        finish=_of_tibco,
    ),
    Rule(  # https://mmonit.com/monit: a zone before the date; elder ones
        "monit",
        rf"^(?P<head>\[{stamps.ZONE_MONTH_DAY}\] (?P<level>[a-z]+) *: )",
        "[",
    ),
    Rule(  # zypper's history: what was done stands first
        "zypper",
        rf"^(?P<head>{stamps.YEAR_FIRST}\|)(?:command|install|remove|patch|radd|rremove|ralias|rurl|srvadd|srvrem) *\|",
        DIGITS,
        fifth="-",
    ),
)
BARE_RULES: Final = (
    Rule(  # ArubaOS-CX: the number of an event, its severity, the unit and the slot
        "aruba-cx",
        r"^(?P<head>Event\|(?P<event>[0-9]+)\|LOG_(?P<level>[A-Z]+)\|(?P<unit>[^|]*)\|(?P<slot>[^|]*)\|)",
        "E",
    ),
    Rule(  # XAPI of XenServer and XCP-ng: level, host, thread, task, module
        "xapi",
        r"^(?P<head>\[(?P<level>debug|info|warn|error)\|(?P<node>[^|\]]*)\|(?P<thread>[^|\]]*)\|(?P<task>[^|\]]*)\|"
        r"(?P<source>[^\]|]*)\] )",
        "[",
    ),
)
