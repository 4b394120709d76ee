"""An entry of journald's export or verbose format in, the document of its fields out; other texts are no entries."""

import re
from typing import Final

__all__ = ["ENTRY", "NAME", "document_of_export"]

NAME: Final = "journald-export"
_VERBOSE: Final = r"(?P<time>[A-Z][a-z]{2} [0-9-]{10} [0-9:.]{8,15} [^\[\n]*)\[s=[0-9a-f]+;[^\]\n]*\]\n +"
ENTRY: Final = rf"^(?:__CURSOR=[^\n]*\n|{_VERBOSE}_?[A-Z])"
"""How an entry begins: https://systemd.io/JOURNAL_EXPORT_FORMATS/, and what `journalctl -o verbose` shows of one."""
_HEAD: Final = re.compile(_VERBOSE)
_FIELD: Final = re.compile(r"(?P<name>[A-Z_][A-Z0-9_]*)(?:=(?P<value>.*))?")
_SIZE: Final = re.compile(r"^(?:\\x[0-9a-f]{2}|[^\x00]){0,3}\x00{5,8}")
"""The eight bytes before a value that is not plain text, the lowest first; where a line's text has their traces."""


def document_of_export(text: str) -> dict[str, object]:
    """Field → its value, or all of them where it comes several times. What follows a name alone is its value, up to
    the next field: blank lines within it are lost, as they are everywhere else. The time above a verbose entry is its
    `timestamp`.
    """
    found: dict[str, list[str]] = {}
    open_value: list[str] | None = None
    if head := _HEAD.match(text):
        found["timestamp"] = [head["time"].strip()]
        text = re.sub(r"(?m)^ +", "", text[text.index("\n") + 1 :])
    for line in text.split("\n"):
        field = _FIELD.fullmatch(line)
        if field is None:
            if open_value:
                open_value[-1] += ("\n" if open_value[-1] else "") + _SIZE.sub("", line)
            continue
        open_value = found.setdefault(field["name"], [])
        open_value.append(field["value"] or "")
        if field["value"] is not None:
            open_value = None
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}
