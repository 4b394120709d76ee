"""Text of two bytes a character (UTF-16): how a file shows that it is, where its lines end, and its text as UTF-8."""

import codecs

import numpy as np
import numpy.typing as npt

from sentinel.collect.contents import Contents

__all__ = ["PROBE_BYTES", "codec_of", "decoded", "line_ends", "wide_of"]

LITTLE, BIG = "utf-16-le", "utf-16-be"
BOMS = {codecs.BOM_UTF16_LE: LITTLE, codecs.BOM_UTF16_BE: BIG}
PROBE_BYTES = 256
LEAST_BYTES = 8  # fewer prove nothing where there is no byte order mark
MOST_ZEROS = 0.7  # of the high bytes, in a text that is mostly Latin; a binary file has them in all places


def wide_of(contents: Contents) -> str | None:
    """The codec of a file in UTF-16; None for all others."""
    return codec_of(contents.read(0, PROBE_BYTES))


def codec_of(head: bytes) -> str | None:
    """The same by a file's first PROBE_BYTES: known by its mark or by zeros in every other byte."""
    marked = BOMS.get(head[:2])
    if marked is not None or len(head) < LEAST_BYTES or b"\0" not in head:
        return marked
    first, second = head[0 : len(head) & ~1 : 2], head[1::2]
    for codec, high, low in ((LITTLE, second, first), (BIG, first, second)):
        if high.count(0) >= MOST_ZEROS * len(high) and not low.count(0):
            return codec
    return None


def line_ends(data: bytes, codec: str) -> npt.NDArray[np.int64]:
    """Where in `data`, which begins with a whole character, each line is over: behind its line feed."""
    units = np.frombuffer(data[: len(data) & ~1], dtype="<u2" if codec == LITTLE else ">u2")
    return (np.flatnonzero(units == 10) + 1) * 2


def decoded(data: bytes, codec: str) -> bytes:
    """As UTF-8, without a byte order mark; what is no character becomes U+FFFD."""
    return data.decode(codec, "replace").removeprefix("\ufeff").encode()
