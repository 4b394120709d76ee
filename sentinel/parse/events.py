"""Lines in, events out: parts that a runtime cut are put together, continuations joined to the line they belong to.

Which line begins an event depends on the lines before it in its stream, and on nothing else: a head takes what has no
head of its own; a plain line only what can never begin an event.
"""

import re
import string
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from sentinel.parse import attributes
from sentinel.parse.events_held import MAX_EVENT_BYTES, MAX_EVENT_LINES, held_events
from sentinel.parse.events_labels import STAMPED_FRAME, Label, labels_of, seen_twice
from sentinel.parse.formats import bodies
from sentinel.parse.frames import SYSLOGS
from sentinel.parse.in_use import reading
from sentinel.parse.rules import is_any, match

__all__ = ["MAX_EVENT_BYTES", "MAX_EVENT_LINES", "Joined", "join_events", "places_of", "whole_events"]

BODY_CHARS: Final = 16
"""So many first characters have the ids of one body in common, where a line is from no file."""

_VISIBLE: Final = r"\S"
_SLIGHT: Final = r"^ {1,3}\S|^ {4,32}[\w.@-]+ : "  # daemons begin messages with blanks for their looks; sudo its users
_BEGINNINGS: Final = frozenset(
    {Label.HEAD, Label.WHOLE, Label.CRASH, Label.HANGING, Label.SLOW, Label.UNTOLD, Label.BLOCK}
)
_OPEN: Final = frozenset({Label.KEY, Label.BLOCK})
_NEVER_ALONE: Final = frozenset({Label.PART, Label.CHAIN, Label.CARET})
_HEADS: Final = frozenset({Label.HEAD, Label.UNTOLD, Label.SLOW, Label.STATEMENT})
_NAMED: Final = frozenset({Label.ERROR, Label.TRACE})
_SHAPES: Final = {ord(one): "0" for one in string.digits} | {ord(one): "a" for one in string.ascii_letters}
_LOGGED: Final = re.compile(r"\[?[12][0-9]{3}[-/][01][0-9][-/]|[A-Z][a-z]{2} [ 0-9][0-9] [0-9]{2}:|\{\"")
ALIKE_CHARS: Final = 10
SHOWN_CHARS: Final = 1024
_DULL: Final = frozenset({Label.FREE, Label.LEVEL})
_ENDING: Final = frozenset({Label.ERROR, Label.FREE})
_OF_STACKS: Final = frozenset({Label.PART, Label.CALL, Label.CRASH})


@dataclass(frozen=True, slots=True)
class Joined:
    """`firsts` says of each line in which position its event begins; `texts` has the whole text of those events that
    have more than one line, by that position; `held` are the positions of events that may still go on."""

    firsts: npt.NDArray[np.int64]
    texts: dict[int, str]
    held: list[int]


def join_events(framed: pl.DataFrame, files: pl.Series, now: int, unsettled: Collection[str] = ()) -> Joined:
    """Join lines (FRAMED, in their order) to events; `files` names the file or body that each is from.

    What looks like nothing known and would be joined is shown to all formats: one with a time is a head after all. The
    last event of each stream of an `unsettled` file is held, unless nothing can follow it.
    """
    table = _ordered(framed, files)
    order = table["at"].to_numpy()
    firsts, kinds = _firsts(table)
    heads = _unseen_heads(table, firsts, now)
    if len(heads):
        table = table.with_columns(table["label"].scatter(heads, Label.HEAD))
        firsts, kinds = _firsts(table)
    found = np.empty(framed.height, dtype=np.int64)
    found[order] = order[firsts]
    held = held_events(table, firsts, kinds, unsettled) if unsettled and table.height else []
    return Joined(found, _texts(table, firsts), held)


def whole_events(
    framed: pl.DataFrame, cleaned: pl.DataFrame, inputs: pl.DataFrame, now: int, unsettled: Collection[str] = ()
) -> tuple[pl.DataFrame, dict[str, int]]:
    """One row an event: FRAMED and `inputs` of its first line with the whole text, `marks` and `raw` of all its lines;
    and where the first held event of each generation or body begins.
    """
    places = places_of(inputs)
    joined = join_events(framed, places["file"], now, unsettled)
    events = framed.hstack(inputs).hstack(places).with_columns(cleaned["marks"], cleaned["raw"])
    if joined.texts:
        whole = pl.Series(list(joined.texts.values()), dtype=pl.String)
        rows = list(joined.texts)
        events = events.with_columns(events["text"].scatter(rows, whole), *_of_all_lines(events, cleaned, joined))
        events = events.filter(pl.Series(joined.firsts == np.arange(events.height)))
    if events["frame"].null_count() < events.height:  # of lines without a frame the blank ones are gone
        events = events.filter(events["text"].str.contains(_VISIBLE) | events["frame"].is_in(list(SYSLOGS)))
    if not joined.held:
        return events, {}
    first = places[joined.held].group_by("file").agg(pl.col("place").min())
    held: dict[str, int] = dict(first.iter_rows())
    return events, held


def places_of(frame: pl.DataFrame) -> pl.DataFrame:
    """`file`, the generation or body that each row is from, and `place`, where it stands there."""
    event_id = pl.col("event_id")
    return frame.select(
        pl.coalesce("generation", event_id.str.slice(0, BODY_CHARS)).alias("file"),
        pl.coalesce("offset", event_id.str.slice(BODY_CHARS).cast(pl.Int64, strict=False)).alias("place"),
    )


def _of_all_lines(events: pl.DataFrame, cleaned: pl.DataFrame, joined: Joined) -> list[pl.Series]:
    """`marks` and `raw` with those of the later lines of each event, put at its first."""
    marks, raw = events["marks"], events["raw"]
    later = np.flatnonzero(joined.firsts != np.arange(events.height))
    if marks[later].null_count() < len(later):
        for row in later[marks[later].is_not_null().to_numpy()].tolist():
            first = int(joined.firsts[row])
            marks = marks.scatter(first, attributes.join_inner([marks[[first]], marks[[row]]], 1)[0])
    rows = np.flatnonzero(raw.is_not_null().to_numpy())
    for first in {int(joined.firsts[row]) for row in rows} & set(joined.texts):
        lines = np.flatnonzero(joined.firsts == first)
        raw = raw.scatter(
            first, "\n".join(raw[lines].zip_with(raw[lines].is_not_null(), cleaned["text"][lines]).to_list())
        )
    return [marks, raw]


def _ordered(framed: pl.DataFrame, files: pl.Series) -> pl.DataFrame:
    """The lines of each stream together: `at`, `file`, `text`, `label`, `framed`, `partial`, `begins` (a stream)."""
    labels = labels_of(framed["text"])
    if own := reading().formats:
        labels = labels.scatter(is_any(framed["text"], own).arg_true(), Label.HEAD)
    table = framed.select("text", "partial", "stream", pl.col("frame").is_not_null().alias("framed")).with_columns(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("at"), files.alias("file"), labels.alias("label")
    )
    if table["framed"].any():
        of_daemon = framed["frame"].is_in(list(SYSLOGS)).fill_null(value=False)
        slight = of_daemon & framed["text"].str.contains(_SLIGHT) & (labels == Label.PART)
        timed = of_daemon & (labels == Label.HEAD)  # their next line has a head as well: syslog's
        label = pl.when(slight).then(Label.FREE).when(timed).then(Label.LEVEL).otherwise("label")
        table = table.with_columns(
            label.cast(pl.UInt8).alias("label"),
            pl.col("stream").forward_fill().over("file").fill_null(""),  # what a frame lacks is of the writer before
        ).sort("file", "stream", maintain_order=True)
    elif files.n_unique() > 1:
        table = table.sort("file", maintain_order=True)
    table = table.with_columns(seen_twice(table["text"], table["label"]))
    is_new = (pl.col("file") != pl.col("file").shift()).fill_null(value=True)
    if table["framed"].any():
        is_new |= (pl.col("stream") != pl.col("stream").shift()).fill_null(value=True)
    return table.with_columns(is_new.alias("begins"))


class _Event:
    """The event that the last line belongs to."""

    __slots__ = ("bytes", "first", "head", "in_key", "in_trace", "is_framed", "kind", "last", "lines")

    def __init__(self) -> None:
        self.first = self.lines = self.bytes = 0
        self.kind = self.last = Label.FREE
        self.is_framed = self.in_trace = self.in_key = False
        self.head = ""

    def begin(self, at: int, label: int, text: str, size: int, *, is_framed: bool) -> None:
        """A line that begins an event."""
        self.first, self.lines, self.bytes, self.head = at, 1, size, text
        self.kind = Label.HEAD if label in _HEADS else label
        self.last, self.is_framed, self.in_trace = label, is_framed, label == Label.TRACE
        self.in_key = label in _OPEN

    def go_on(self, label: int, size: int) -> None:
        """A line that belongs to it."""
        self.lines += 1
        self.bytes += size
        if label == Label.BLANK:
            return
        self.in_key = label == Label.KEY or (self.in_key and label != Label.KEY_END)
        if label == Label.TRACE:
            self.in_trace = True
        elif label not in _NEVER_ALONE:
            self.in_trace = False  # the exception itself ends a traceback
        self.last = label

    @property
    def is_full(self) -> bool:
        """Whether nothing more may be added."""
        return self.lines >= MAX_EVENT_LINES or self.bytes >= MAX_EVENT_BYTES

    def goes_on(self, label: int, text: str, *, is_framed: bool) -> bool:
        """Whether a line that looks like this belongs to it; within a private key or an alert every line does."""
        if self.in_key and self.head.startswith("#") and _LOGGED.match(text):
            return False  # a JVM's crash is told in the midst of a log
        return (self.in_key and label != Label.BLOCK) or self._takes(label, text, is_framed=is_framed)

    def _takes(self, label: int, text: str, *, is_framed: bool) -> bool:
        if is_framed and not self.is_framed:
            return False  # it has a head, though we have taken it off
        kind = self.kind if is_framed or not self.is_framed else Label.HEAD
        if kind == Label.WHOLE or label in _NEVER_ALONE or label == Label.BLANK:
            return kind != Label.WHOLE
        if label in _BEGINNINGS or label == Label.STATEMENT:
            return label == Label.STATEMENT and self.last == Label.SLOW
        if self.last == Label.UNTOLD:
            return True
        if kind == Label.HEAD:
            is_level = label == Label.LEVEL and self.last != Label.RULER
            return not is_level and (label in _NAMED or not _is_alike(self.head, text))
        return self._takes_of_a_trace(label)

    def _takes_of_a_trace(self, label: int) -> bool:
        """What may follow a line without a time: the rest of what a runtime prints, in the ways of each language."""
        if self.in_trace and self.last in _NEVER_ALONE:
            return label in _ENDING
        if label == Label.TRACE:
            return self.last == Label.CHAIN or self.kind == Label.LEVEL
        if label == Label.ERROR:
            return self.last == Label.CARET or (self.kind == Label.LEVEL and self.lines == 1)
        if label == Label.CALL:
            return self.last in _OF_STACKS
        return self.last == Label.HANGING and label != Label.LEVEL


def _is_alike(head: str, text: str) -> bool:
    """Whether a line begins in the way of a head, letter for letter and digit for digit: then it is one, too."""
    shape = text[:ALIKE_CHARS].translate(_SHAPES)
    return "0" in shape[: ALIKE_CHARS // 2] and head[:ALIKE_CHARS].translate(_SHAPES) == shape


def _firsts(table: pl.DataFrame) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Of each line of the ordered table the position of its event's first, and what kind of event that is.

    Two kinds of lines, which most are, are passed over in runs: those that begin an event whatever was before them, and
    those without a look that follow their like, once one of them begins an event.
    """
    labels, partial = table["label"].to_numpy().astype(np.int64), table["partial"].to_numpy()
    firsts = np.arange(table.height, dtype=np.int64)
    kinds = np.where(np.isin(labels, [*_HEADS]), Label.HEAD, labels)
    begins = table["begins"].to_numpy() | np.isin(labels, [*_BEGINNINGS])
    others = _next(~begins | partial | np.isin(labels, [*_OPEN]))
    framed = table["framed"].to_numpy()
    is_dull = np.isin(labels, [*_DULL]) & ~partial
    others_than_dull = _next(~(is_dull & (framed | ~np.append(False, framed[:-1]))))
    sized = table.select("label", "begins", "framed", "partial", "text", pl.col("text").str.len_bytes().alias("size"))
    label, is_new, is_framed, is_partial, texts, sizes = (column.to_list() for column in sized)
    event, is_glued, at = _Event(), False, 0
    while at < table.height:
        follows_dull = at > 0 and event.first == at - 1 and is_dull[at - 1]
        end = others_than_dull[at] if follows_dull else others[at]
        if end > at and not is_glued and not event.in_key:
            last = end - 1
            event.begin(last, label[last], texts[last], sizes[last], is_framed=is_framed[last])
            at = end
            continue
        belongs = is_glued or (not event.is_full and event.goes_on(label[at], texts[at], is_framed=is_framed[at]))
        if is_new[at] or not belongs:
            event.begin(at, label[at], texts[at], sizes[at], is_framed=is_framed[at])
        else:
            event.go_on(event.last if is_glued else label[at], sizes[at])
        is_glued, firsts[at], kinds[at] = is_partial[at], event.first, event.kind
        at += 1
    return firsts, kinds


def _next(marks: npt.NDArray[np.bool_]) -> list[int]:
    """Of each position the next one that is marked, itself included; the number of positions where none is."""
    places = np.where(marks, np.arange(len(marks)), len(marks))
    return np.minimum.accumulate(places[::-1])[::-1].tolist()  # type: ignore[no-any-return]


def _unseen_heads(table: pl.DataFrame, firsts: npt.NDArray[np.int64], now: int) -> pl.Series:
    """The positions of joined lines without a look of their own in which some format finds a time."""
    joined = pl.Series(firsts != np.arange(len(firsts))) & table["label"].is_in([Label.FREE, Label.CALL])
    if not joined.any():
        return pl.Series([], dtype=pl.UInt32)
    asked = table.select(pl.int_range(pl.len(), dtype=pl.UInt32).alias("row"), pl.col("text").str.slice(0, SHOWN_CHARS))
    done, _ = match(asked.filter(joined), bodies(), now)
    timed = [fields.filter(pl.col("timestamp").is_not_null())["row"] for fields in done]
    return pl.concat(timed) if timed else pl.Series([], dtype=pl.UInt32)


def _texts(table: pl.DataFrame, firsts: npt.NDArray[np.int64]) -> dict[int, str]:
    """The whole text of each event of several lines, by the position of its first in the input."""
    later = np.flatnonzero(firsts != np.arange(len(firsts)))
    if not len(later):
        return {}
    at, texts, partial, labels = table["at"], table["text"], table["partial"], table["label"]
    pieces: dict[int, list[str]] = {}
    for row, first in zip(later.tolist(), firsts[later].tolist(), strict=True):
        if first not in pieces:
            pieces[first] = [texts[first]]
        frame = STAMPED_FRAME.match(texts[row]) if labels[row] == Label.PART else None
        pieces[first] += ("" if partial[row - 1] else "\n", texts[row][frame.start("frame") :] if frame else texts[row])
    return {at[first]: "".join(parts).lstrip("\n") for first, parts in pieces.items()}
