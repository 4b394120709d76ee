"""Text of a log as a person may safely see it: what would act on a screen is shown instead of done."""

import re
from typing import Final

__all__ = ["plain", "shortened"]

ACTING: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|\ud83d(?![\udc00-\udfff])"
)
"""Control characters and terminal escapes, marks without width, and what turns the direction of reading."""


def plain(text: object) -> str:
    r"""The text with every acting character as an escape.

    >>> plain("a\x1b[31mb\u202ec")
    'a\\x1b[31mb\\u202ec'
    """
    return (
        ACTING.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))
        .encode(errors="backslashreplace")
        .decode()
    )


def shortened(text: object, characters: int = 400) -> str:
    """At most so many characters of the plain text, with … where it was longer."""
    shown = plain(text)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"
