"""From the bytes of a line to text that the rules can read, with a mark for all that had to be changed."""

import re
from typing import Final

import polars as pl

from sentinel.parse import attributes

__all__ = ["HEAD_CHARS", "MAX_LINE_BYTES", "as_text", "clean", "front", "split"]

MAX_LINE_BYTES: Final = 1 << 20
"""A longer line is cut here; the attribute `cut_bytes` tells how long it was."""
MAX_FOREIGN_BYTES: Final = MAX_LINE_BYTES // 4
"""The same for a line that is not UTF-8: each of its bytes may become four characters."""
HEAD_CHARS: Final = 8192
"""Rules see only so much of a line, so that no line costs much; the tail is message."""

_SHOWN: Final = {0xDC00 + byte: f"\\x{byte:02x}" for byte in range(0x80, 0x100)}
_UNDOABLE: Final = {**_SHOWN, ord("\\"): "\\\\"}
_LINE: Final = r"^([^\n]*)"
_VISIBLE: Final = r"[^\s\x00]"
_ANSI: Final = r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"

_ANSI_TEXT: Final = re.compile(_ANSI)


def clean(lines: pl.Series) -> pl.DataFrame:
    """One row a line (Binary) that is not blank: `row` (UInt32, its position), `text`, `marks`, `raw`.

    Gone from the text are the line's end, a byte order mark, NULs before it and terminal colours. Bytes that are not
    UTF-8 stand in it as \\xNN. `marks` is the inside of a JSON object; `raw` holds the line as it came where other
    bytes than these ends were changed (with backslashes doubled where it was not UTF-8, so that it can be undone).
    """
    frame, marks = _cut(pl.DataFrame({"row": pl.int_range(len(lines), dtype=pl.UInt32, eager=True), "line": lines}))
    texts, raw, foreign = _decode(frame["line"])
    texts = texts.str.strip_chars_end("\r\n").str.strip_prefix("\ufeff")
    frame = frame.select(
        "row", texts.alias("text"), raw, attributes.join_inner([*marks, foreign], len(lines)).alias("marks")
    )
    colours = frame["text"].str.contains("\x1b", literal=True)
    if colours.any():
        plain = pl.when(colours).then(pl.col("text").str.replace_all(_ANSI, "")).otherwise("text")
        raw_text = pl.when(colours & (plain != pl.col("text"))).then("text")
        frame = frame.with_columns(plain.alias("text"), pl.coalesce("raw", raw_text).alias("raw"))
    return frame.filter(frame["text"].str.contains(_VISIBLE).fill_null(value=False))


def split(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `tail`: what exceeds HEAD_CHARS of each `text` or its first line, taken from it; null for the others."""
    several = frame["text"].str.contains("\n", literal=True)
    long = frame["text"].str.len_bytes() > HEAD_CHARS
    if not (several | long).any():
        return frame.with_columns(pl.lit(None, dtype=pl.String).alias("tail"))
    head = pl.when(several | long).then(pl.col("text").str.head(HEAD_CHARS).str.extract(_LINE, 1)).otherwise("text")
    framed = frame.with_columns(head.alias("head"))
    return framed.with_columns(
        pl.when(several | long).then(pl.col("text").str.strip_prefix(pl.col("head"))).alias("tail"),
        pl.col("head").alias("text"),
    ).drop("head")


def _cut(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[pl.Series]]:
    """Take leading NULs (the hole of a truncated file) and what exceeds MAX_LINE_BYTES from the lines; say how much."""
    size = frame["line"].bin.size()
    holes = frame["line"].bin.starts_with(b"\x00").fill_null(value=False)
    if not holes.any() and (size.max() or 0) <= MAX_LINE_BYTES:  # type: ignore[operator]
        return frame, []
    plain = [line.lstrip(b"\x00") if line else line for line in frame["line"]]
    short = pl.Series("line", [front(line) if line else line for line in plain], dtype=pl.Binary)
    bare = pl.Series([len(line) if line else 0 for line in plain], dtype=pl.UInt32)
    nuls = '"nul_bytes":"' + (size - bare).cast(pl.String) + '"'
    cut = '"cut_bytes":"' + bare.cast(pl.String) + '"'
    return frame.with_columns(short), [nuls.set(~holes, None), cut.set(bare <= MAX_LINE_BYTES, None)]


def as_text(line: bytes) -> str:
    """Bytes as a line's text: no line end, no byte order mark, no terminal colours; \\xNN where they are not UTF-8."""
    text = line.decode(errors="surrogateescape").translate(_SHOWN)
    return _ANSI_TEXT.sub("", text.rstrip("\r\n").removeprefix("\ufeff"))


def front(line: bytes) -> bytes:
    """At most MAX_LINE_BYTES of the line, not ending inside a UTF-8 character."""
    if len(line) <= MAX_LINE_BYTES:
        return line
    end = MAX_LINE_BYTES
    while end > MAX_LINE_BYTES - 4 and line[end] & 0xC0 == 0x80:
        end -= 1
    return line[:end]


def _decode(lines: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Text, raw and mark of each line; the last two are null where the line is UTF-8."""
    nothing = pl.Series("raw", [None], dtype=pl.String).new_from_index(0, len(lines))
    try:
        return lines.cast(pl.String), nothing, nothing
    except pl.exceptions.ComputeError:  # some line is not UTF-8: find it
        pass
    texts: list[str | None] = []
    raw: list[str | None] = [None] * len(lines)
    marks: list[str | None] = [None] * len(lines)
    for row, line in enumerate(lines):
        try:
            texts.append(None if line is None else line.decode())
        except UnicodeDecodeError:
            escaped = line[:MAX_FOREIGN_BYTES].decode(errors="surrogateescape")
            texts.append(escaped.translate(_SHOWN))
            raw[row] = escaped.translate(_UNDOABLE)
            cut = f',"cut_bytes":"{len(line)}"' if len(line) > MAX_FOREIGN_BYTES else ""
            marks[row] = '"invalid_utf8":"true"' + cut
    return pl.Series(texts, dtype=pl.String), pl.Series("raw", raw, dtype=pl.String), pl.Series(marks, dtype=pl.String)
