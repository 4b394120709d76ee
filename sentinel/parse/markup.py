"""Events as XML, as java.util.logging's files, log4j, log4j2 and Oracle write them, made documents."""

import re
from html import escape, unescape
from typing import Final

__all__ = ["EVENT", "document_of_markup"]

EVENT: Final = (
    r"(?s)^[ \t]*<(?:record>|log4j:event |msg time=|Event [^>]*(?:loggerName|timeMillis)=)"
    r".*</(?:record|log4j:event|msg|Event)>\s*$"
)
_ROOT: Final = re.compile(r"\s*<[\w:]+(?P<attributes>[^<>]*)>")
_ATTRIBUTE: Final = re.compile(r"(?<![\w:.-])([\w:.-]+)=(?:\"([^\"]*)\"|'([^']*)')")
_ELEMENT: Final = re.compile(r"<(?P<tag>[\w:.-]+)(?:\s[^<>]*)?>(?P<text>[^<]*)</(?P=tag)>")
_THROWN: Final = ("throwable", "Thrown", "exception")


def document_of_markup(text: str) -> dict[str, object] | None:
    """The attributes of the event and the texts inside it, by their names; None where it says no message."""
    text = _without_sections(text)
    root = _ROOT.match(text)
    if root is None:
        return None
    found: dict[str, object] = {
        name: unescape(one or other) for name, one, other in _ATTRIBUTE.findall(root["attributes"])
    }
    for element in _ELEMENT.finditer(text, root.end()):
        name = element["tag"].removeprefix("log4j:")
        found.setdefault(name, unescape(element["text"]).strip())
    if "txt" in found:
        found["message"] = found.pop("txt")
    message = found.get("message", found.get("Message"))
    if message is None:
        return None
    found.pop("xmlns", None)
    thrown = [str(found.pop(name)) for name in _THROWN if name in found]
    return {**found, "message": "\n".join([str(message), *thrown])} if thrown else found


def _without_sections(text: str) -> str:
    """The text with what stands in CDATA escaped as other text is; in one pass, however many are left open."""
    first, *others = text.split("<![CDATA[")
    parts = [first]
    for part in others:
        inside, closed, behind = part.partition("]]>")
        parts.append(escape(inside) + behind if closed else part)
    return "".join(parts)
