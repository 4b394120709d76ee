"""Events as XML, as java.util.logging's files, log4j and log4j2 write them, made documents."""

import re
from html import unescape
from typing import Final

__all__ = ["EVENT", "document_of_markup"]

EVENT: Final = (
    r"(?s)^[ \t]*<(?:record>|log4j:event |Event [^>]*(?:loggerName|timeMillis)=).*</(?:record|log4j:event|Event)>\s*$"
)
_ROOT: Final = re.compile(r"\s*<[\w:]+(?P<attributes>[^>]*)>")
_ATTRIBUTE: Final = re.compile(r"([\w:.-]+)=(?:\"([^\"]*)\"|'([^']*)')")
_ELEMENT: Final = re.compile(
    r"<(?P<tag>[\w:.-]+)(?:\s[^<>]*)?>(?P<text>(?:<!\[CDATA\[.*?\]\]>|[^<])*)</(?P=tag)>", re.DOTALL
)
_CDATA: Final = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_THROWN: Final = ("throwable", "Thrown", "exception")


def document_of_markup(text: str) -> dict[str, object] | None:
    """The attributes of the event and the texts inside it, by their names; None where it says no message."""
    root = _ROOT.match(text)
    if root is None:
        return None
    found: dict[str, object] = {
        name: unescape(one or other) for name, one, other in _ATTRIBUTE.findall(root["attributes"])
    }
    for element in _ELEMENT.finditer(text, root.end()):
        name = element["tag"].removeprefix("log4j:")
        found.setdefault(name, _plain(element["text"]))
    message = found.get("message", found.get("Message"))
    if message is None:
        return None
    found.pop("xmlns", None)
    thrown = [str(found.pop(name)) for name in _THROWN if name in found]
    return {**found, "message": "\n".join([str(message), *thrown])} if thrown else found


def _plain(text: str) -> str:
    """What an element says, without the marks of XML."""
    parts = _CDATA.split(text)  # what stands in CDATA is every second
    return "".join(part if place % 2 else unescape(part) for place, part in enumerate(parts)).strip()
